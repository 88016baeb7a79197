/* Light or dark, and in which zone, before anything is painted; and what the page will ask for soon.
   Runs in the head; midspan.js does the switching. */
(function () {
  "use strict";
  var chosen = null;
  try {
    chosen = localStorage.getItem("mantine-color-scheme-value");
  } catch (e) {
    chosen = null; /* storage is switched off: the system's choice stands */
  }
  if (chosen !== "light" && chosen !== "dark") {
    chosen = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  }
  document.documentElement.dataset.mantineColorScheme = chosen;

  window.midspanZone = function (name) {
    document.cookie = "midspan_zone=" + encodeURIComponent(name) +
      "; path=/; max-age=31536000; SameSite=Lax";
  };
  var own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  var kept = /(?:^|; )midspan_zone=([^;]*)/.exec(document.cookie);
  kept = kept && decodeURIComponent(kept[1]);
  /* A traveller's zone changes; whoever chose UTC keeps it. */
  if (own && kept !== "UTC" && kept !== own) { window.midspanZone(own); }

  /* Lists are drawn by a script that is asked for late, by others that first have to run. */
  var lists = document.createElement("link");
  lists.rel = "preload";
  lists.as = "script";
  lists.href = "/_dash-component-suites/dash_ag_grid/async-community.js";
  document.head.appendChild(lists);
})();
