/* Light or dark, before anything is painted. Runs in the head; midspan.js does the switching. */
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
})();
