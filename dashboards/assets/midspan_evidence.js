/* Deciding about failures: what is chosen in the grid goes to the API, one request each, with the
   session of this browser. Following a list, and taking texts and links along. Nothing from the
   server is ever used as HTML. */
(function () {
  "use strict";
  var GRID = "errors-grid";
  var DAY_MS = 86400000;

  function byId(id) { return document.getElementById(id); }

  function chosen(rows) {
    var number = (rows || []).length;
    return [number ? "actions" : "actions idle", number ? number + " chosen" : ""];
  }

  function grid() {
    var grids = window.dash_ag_grid;
    return grids && grids.getApi && grids.getApi(GRID);
  }

  function say(text) { byId("errors-said").textContent = text; }

  function send(row, wish) {
    var url = "/api/v1/integrations/" + encodeURIComponent(row.integration) + "/error-groups/" +
      encodeURIComponent(row.id);
    return fetch(url, {
      method: "PATCH", credentials: "same-origin",
      headers: { "Content-Type": "application/json" }, body: JSON.stringify(wish),
    }).then(function (answer) {
      if (answer.ok) { return ""; }
      return answer.json().then(function (problem) { return problem.detail || problem.title; });
    });
  }

  function decide(wish) {
    var api = grid(), all = api ? api.getSelectedRows() : [];
    if (!all.length) { return; }
    say("…");
    Promise.all(all.map(function (row) { return send(row, wish); })).then(function (answers) {
      var problem = answers.find(Boolean);
      say(problem || "Done.");
      if (!problem) { api.deselectAll(); }
      window.dash_clientside.set_props("pulse", { data: Date.now() });
    }, function () { say("Midspan does not answer; nothing may have changed. Try again."); });
  }

  function patience(value) {
    var parts = value.split(":"), wish = { handling: "ignored" };
    if (parts[0] === "more") { wish.more = Number(parts[1]); }
    if (parts[0] === "days") {
      wish.until = new Date(Date.now() + Number(parts[1]) * DAY_MS).toISOString();
    }
    return wish;
  }

  document.addEventListener("click", function (event) {
    var button = event.target.closest && event.target.closest("button[data-decide]");
    if (button) { decide({ handling: button.dataset.decide }); }
  });

  document.addEventListener("change", function (event) {
    var value = event.target.value;
    if (!value) { return; }
    if (event.target.id === "errors-ignore") { decide(patience(value)); }
    else if (event.target.id === "errors-assign") { decide({ assignee: value === "-" ? null : value }); }
    else { return; }
    event.target.value = "";
  });

  /* Browsers give the clipboard to https and to this machine only; elsewhere a selection does. */
  function bySelection(text) {
    var area = document.createElement("textarea");
    area.value = text;
    document.body.appendChild(area);
    area.select();
    var done = document.execCommand("copy");
    area.remove();
    return done ? Promise.resolve() : Promise.reject();
  }

  function copy(button) {
    var name = button.dataset.name || button.textContent;
    var text = button.dataset.copy || new URL(button.dataset.link, location.href).href;
    var answer = function (said) {
      button.dataset.name = name;
      button.textContent = said;
      setTimeout(function () { button.textContent = name; }, 1500);
    };
    var copying = navigator.clipboard ? navigator.clipboard.writeText(text) : bySelection(text);
    copying.then(function () { answer("copied"); }, function () { answer("not allowed here"); });
  }

  document.addEventListener("click", function (event) {
    var button = event.target.closest && event.target.closest("[data-copy], [data-link]");
    if (button) { copy(button); }
  });

  /* A list is followed while its reader looks at its top: rows do not move under somebody who reads. */
  var READING_PX = 160;
  function tail() {
    var query = new URL(location.href).searchParams;
    var rests = document.hidden || query.get("live") !== "1" || query.get("cursor") ||
      query.get("from") || window.scrollY > READING_PX;
    return rests ? window.dash_clientside.no_update : Date.now();
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside);
  window.dash_clientside.midspan = Object.assign({}, window.dash_clientside.midspan, {
    chosen: chosen, tail: tail,
  });
})();
