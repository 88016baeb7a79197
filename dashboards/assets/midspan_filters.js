/* The bar over a list of exchanges: what is chosen goes to the address, and the controls show what
   the address says. No text from the address is ever used as HTML. */
(function () {
  "use strict";
  var BAR = "exchanges-filter";
  var shown = {};

  /* The names of controls: those always in sight, those behind "More", those of given words. */
  function names(which) {
    var bar = document.getElementById(BAR);
    return bar ? bar.dataset[which].split(" ") : [];
  }

  /* Only what was changed is written: the controls may show an older address for a moment. */
  function filter() {
    var url = new URL(location.href), moved = false;
    (window.dash_clientside.callback_context.triggered || []).forEach(function (each) {
      var name = each.prop_id.split(".")[0].slice(BAR.length + 1);
      var value = String(each.value === null || each.value === undefined ? "" : each.value).trim();
      if (value === (url.searchParams.get(name) || "") || value === shown[name]) { return; }
      if (value) { url.searchParams.set(name, value); } else { url.searchParams.delete(name); }
      shown[name] = value;
      moved = true;
    });
    if (moved) {
      url.searchParams.delete("cursor");
      window.midspan.go(url.href);
    }
    return window.dash_clientside.no_update;
  }

  function filtered() {
    var asked = new URL(location.href).searchParams;
    var value = function (name) { return asked.get(name) || ""; };
    var all = names("first").concat(names("more")), worded = names("worded");
    all.forEach(function (name) {
      if (shown[name] !== undefined && shown[name] !== value(name)) {
        var empty = worded.indexOf(name) < 0 ? "" : null;
        window.dash_clientside.set_props(BAR + "-" + name, { value: value(name) || empty });
      }
      shown[name] = value(name);
    });
    tell(names("more").filter(value).length, all);
    return window.dash_clientside.no_update;
  }

  function tell(active, all) {
    var more = document.getElementById(BAR + "-more"), clear = document.getElementById(BAR + "-clear");
    if (!more || !clear) { return; }
    more.textContent = active ? "More, " + active + " set" : "More";
    more.parentNode.classList.toggle("current", active > 0);
    var kept = new URL(location.href), before = kept.search;
    all.concat("cursor").forEach(function (name) { kept.searchParams.delete(name); });
    clear.className = kept.search === before ? "gone" : "choice";
    clear.href = kept.pathname + kept.search;
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside);
  window.dash_clientside.midspan = Object.assign({}, window.dash_clientside.midspan, {
    filter: filter, filtered: filtered,
  });
})();
