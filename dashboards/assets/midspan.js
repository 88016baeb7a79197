/* What the pages do in the browser: the address is the state, keys, colours, the age of numbers.
   No number is computed here and no text from the server is ever used as HTML. */
(function () {
  "use strict";
  var STALE_MS = 35000;
  var LONGEST_MS = 400 * 86400000;
  var root = document.documentElement;
  var skip = function () { return window.dash_clientside.no_update; };

  /* ---- the address ------------------------------------------------------------------------ */
  function go(url) {
    var target = new URL(url, location.href);
    if (target.origin !== location.origin) { return; }
    if (target.href === location.href) { return; }
    history.pushState(null, "", target);
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
  }

  /* What the browser alone acts on is kept in the address without asking the server again. */
  function remember(name, value) {
    var url = new URL(location.href);
    if (value) { url.searchParams.set(name, value); } else { url.searchParams.delete(name); }
    history.replaceState(null, "", url);
  }

  function timeOf(url) {
    var kept = new URLSearchParams();
    ["window", "from", "to"].forEach(function (name) {
      var value = url.searchParams.get(name);
      if (value) { kept.set(name, value); }
    });
    return kept;
  }

  function withTime(change) {
    var url = new URL(location.href);
    ["window", "from", "to", "cursor"].forEach(function (name) { url.searchParams.delete(name); });
    Object.keys(change).forEach(function (name) { url.searchParams.set(name, change[name]); });
    return url;
  }

  function iso(ms) { return new Date(ms).toISOString().slice(0, 19) + "Z"; }

  function show(from, to) {
    var minute = 60000;
    from = Math.floor(from / minute) * minute;
    to = Math.min(Math.ceil(to / minute) * minute, (Math.floor(Date.now() / minute) + 1) * minute);
    if (!(to > from)) { from = to - minute; }
    go(withTime({ from: iso(Math.max(from, to - LONGEST_MS)), to: iso(to) }));
  }

  function follow(event) {
    if (event.defaultPrevented || event.button || event.metaKey || event.ctrlKey ||
        event.shiftKey || event.altKey) { return; }
    var link = event.target.closest && event.target.closest("a[href]");
    if (!link || link.target || link.origin !== location.origin) { return; }
    if (link.getAttribute("href").charAt(0) === "#") { return; }
    if (/^\/(api|login|logout|assets)(\/|$)/.test(link.pathname)) { return; }
    event.preventDefault();
    if (link.dataset.reload) { location.reload(); return; }
    var url = new URL(link.href);
    if (link.dataset.window) { url = withTime({ window: link.dataset.window }); }
    if (link.dataset.param) {
      url = new URL(location.href);
      if (link.dataset.value) { url.searchParams.set(link.dataset.param, link.dataset.value); }
      else { url.searchParams.delete(link.dataset.param); }
    }
    if (link.dataset.keep && !timeOf(url).size) {
      timeOf(new URL(location.href)).forEach(function (v, k) { url.searchParams.set(k, v); });
    }
    go(url);
  }

  /* ---- which time is looked at ------------------------------------------------------------ */
  function short(text) {
    var at = new Date(text);
    if (isNaN(at)) { return null; }
    var part = { timeZone: zone(), hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
    var day = { timeZone: zone(), day: "numeric", month: "short" };
    return [at.toLocaleDateString("en-GB", day), at.toLocaleTimeString("en-GB", part)];
  }

  function markLinks(which, isHere) {
    document.querySelectorAll(which).forEach(function (link) {
      if (isHere(link)) { link.setAttribute("aria-current", "true"); }
      else { link.removeAttribute("aria-current"); }
    });
  }

  function mark() {
    var query = new URL(location.href).searchParams;
    var fixed = query.get("from") && query.get("to");
    var path = location.pathname;
    var current = fixed ? null : query.get("window") || (/\/usage$/.test(path) ? "28d" : "24h");
    var preset = false;
    document.querySelectorAll("a[data-window]").forEach(function (link) {
      var here = link.dataset.window === current;
      preset = preset || here;
      if (here) { link.setAttribute("aria-current", "true"); }
      else { link.removeAttribute("aria-current"); }
    });
    root.dataset.timeless = /^\/(exchanges\/|settings$)/.test(path) ? "1" : "";
    markLinks("a[data-verdict]", function (link) {
      return link.dataset.verdict === (query.get("verdict") || "");
    });
    markLinks("a[data-param]", function (link) {
      return link.dataset.value === (query.get(link.dataset.param) || "");
    });
    var other = document.getElementById("range");
    if (other) { other.classList.toggle("current", !preset); }
    if (!fixed) { return preset ? "Other" : "Last " + current; }
    var from = short(query.get("from")), to = short(query.get("to"));
    if (!from || !to) { return "Other"; }
    return from[0] + " " + from[1] + " – " + (from[0] === to[0] ? "" : to[0] + " ") + to[1];
  }

  function choose(clicks, from, to) {
    if (!clicks || !from || !to) { return skip(); }
    var start = moment(from), end = moment(to);
    if (isNaN(start) || isNaN(end)) { return skip(); }
    document.getElementById("range").open = false;
    show(Math.min(start, end), Math.max(start, end));
    return skip();
  }

  /* The server tells times in the zone that the cookie names: the browser's own, or UTC. */
  function zone() {
    var kept = /(?:^|; )midspan_zone=([^;]*)/.exec(document.cookie);
    return kept ? decodeURIComponent(kept[1]) : "UTC";
  }

  function moment(text) {
    var clock = String(text).replace(" ", "T").slice(0, 23);
    if (clock.length === 10) { clock += "T00:00"; }
    return Date.parse(clock + (zone() === "UTC" ? "Z" : ""));
  }

  function switchZone() {
    var own = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
    window.midspanZone(zone() === "UTC" ? own : "UTC");
    location.reload();
  }

  function showZone() {
    var button = document.getElementById("zone-switch");
    if (!button) { return; }
    var name = zone();
    button.textContent = name === "UTC" ? "UTC" : name.split("/").pop().replace(/_/g, " ");
    button.title = name === "UTC" ? "Times are in UTC; show them in your zone"
      : "Times are in your zone, " + name + "; show them in UTC";
  }

  function zoom() {
    var seen = window.dash_clientside.callback_context.triggered[0];
    var moved = seen && seen.value;
    if (!moved) { return skip(); }
    if (moved["xaxis.range[0]"] !== undefined) {
      show(moment(moved["xaxis.range[0]"]), moment(moved["xaxis.range[1]"]));
    } else if (moved["xaxis.autorange"]) {
      wider();
    }
    return skip();
  }

  /* A double click on a chart shows three times the time around what is shown. */
  function wider() {
    var query = new URL(location.href).searchParams;
    var from = Date.parse(query.get("from") || ""), to = Date.parse(query.get("to") || "");
    if (!isNaN(from) && !isNaN(to)) { show(from - (to - from), to + (to - from)); }
  }

  /* A click on a step of a chart leads to the exchanges behind it. */
  function pick() {
    var seen = window.dash_clientside.callback_context.triggered[0];
    var point = seen && seen.value && seen.value.points && seen.value.points[0];
    var graph = seen && document.querySelector("#" + seen.prop_id.split(".")[0] + " .js-plotly-plot");
    var step = graph && graph.layout && graph.layout.meta && graph.layout.meta.step_ms;
    if (!point || !step) { return skip(); }
    var start = Math.floor(moment(point.x) / step) * step;
    var bad = graph.data[point.curveNumber].name === "bad" ? "&verdict=bad" : "";
    go(location.pathname.replace(/\/$/, "") + "/exchanges?from=" + iso(start) + "&to=" +
      iso(start + step) + bad);
    return skip();
  }

  /* ---- charts as tables ------------------------------------------------------------------- */
  function cell(tag, text) {
    var made = document.createElement(tag);
    made.textContent = text === null || text === undefined ? "–" : text;
    return made;
  }

  /* What a trace says at one place, as its hover text would: a number, or the words beside it. */
  function valueAt(trace, place) {
    var value = trace.y[place];
    if (value === null || value === undefined) { return null; }
    if (trace.type === "scatter" && trace.customdata) { return trace.customdata[place]; }
    return Number(value).toLocaleString("en-GB", { maximumFractionDigits: 2 });
  }

  function columnsOf(figure) {
    var traces = figure.data || [];
    if (traces.length && traces[0].type === "heatmap") {
      return traces[0].customdata.map(function (band, place) {
        return { name: traces[0].meta[place], at: function (step) { return traces[0].z[place][step] &&
          String(band[step]).split(": ")[1]; } };
      });
    }
    return traces.map(function (trace) {
      return { name: trace.name, at: function (step) { return valueAt(trace, step); } };
    });
  }

  function tabulate(id) {
    var graph = document.querySelector("#" + id + " .js-plotly-plot");
    var place = document.getElementById(id + "-table");
    if (!graph || !place) { return; }
    var columns = columnsOf(graph), head = document.createElement("tr");
    var table = document.createElement("table"), body = document.createElement("tbody");
    [cell("th", "Time")].concat(columns.map(function (one) { return cell("th", one.name); }))
      .forEach(function (one) { head.appendChild(one); });
    var times = graph.data && graph.data.length ? graph.data[0].x : [];
    for (var step = times.length - 1; step >= 0; step--) {
      var row = document.createElement("tr");
      row.appendChild(cell("td", String(times[step]).replace("T", " ").slice(0, 16)));
      columns.forEach(function (one) { row.appendChild(cell("td", one.at(step))); });
      body.appendChild(row);
    }
    var top = document.createElement("thead");
    top.appendChild(head);
    table.appendChild(top);
    table.appendChild(body);
    place.replaceChildren(table);
  }

  function switchTable(button) {
    var id = button.dataset.table, place = document.getElementById(id + "-table");
    var open = place.classList.toggle("gone") === false;
    button.setAttribute("aria-pressed", open ? "true" : "false");
    button.textContent = open ? "chart" : "table";
    document.getElementById(id).classList.toggle("gone", open);
    if (open) { tabulate(id); } else { window.dispatchEvent(new Event("resize")); }
  }

  /* One mark for each day; a day leads to its numbers. */
  function days(found) {
    var place = document.getElementById("health-days-strip");
    if (!place || !found) { return skip(); }
    place.replaceChildren.apply(place, found.map(function (day) {
      var mark = document.createElement("a");
      mark.className = "day tone-" + day[0];
      mark.title = day[1];
      mark.href = day[2];
      mark.tabIndex = -1;
      return mark;
    }));
    return skip();
  }

  /* ---- reading again ---------------------------------------------------------------------- */
  function live() {
    return !new URL(location.href).searchParams.get("from") && !root.dataset.timeless;
  }

  function tick() { return live() && !document.hidden ? Date.now() : skip(); }

  function again() {
    if (window.dash_clientside.set_props) {
      window.dash_clientside.set_props("pulse", { data: Date.now() });
    }
  }

  function age() {
    var shown = document.querySelector("time.as-of[datetime]");
    var at = shown && Date.parse(shown.getAttribute("datetime"));
    var old = at && live() && !document.hidden && Date.now() - at > STALE_MS && failing;
    root.dataset.stale = old ? "1" : "";
  }

  /* A callback that is refused because the session is over leads to the log-in page; the others of
     the page are refused, too, and going there again would break off going there. */
  var failing = false, leaving = false;
  window.addEventListener("pageshow", function () { leaving = false; });
  var fetched = window.fetch;
  window.fetch = function (input, init) {
    var asked = typeof input === "string" ? input : (input && input.url) || "";
    return fetched.call(this, input, init).then(function (answer) {
      if (asked.indexOf("_dash-update-component") >= 0) {
        failing = answer.status >= 500;
        if (answer.status === 401 && !leaving) {
          leaving = true;
          location.assign("/login?next=" + encodeURIComponent(location.pathname + location.search));
        }
      }
      return answer;
    }, function (error) {
      if (asked.indexOf("_dash-") >= 0) { failing = true; }
      throw error;
    });
  };

  /* ---- colours ---------------------------------------------------------------------------- */
  function resolve(value, colours) {
    if (typeof value === "string") {
      return value.indexOf("var(--") < 0 ? value : value.replace(/var\((--[\w-]+)\)/g, function (_, name) {
        if (!(name in colours)) {
          colours[name] = getComputedStyle(root).getPropertyValue(name).trim();
        }
        return colours[name];
      });
    }
    if (Array.isArray(value)) {
      return value.map(function (each) { return resolve(each, colours); });
    }
    if (value && typeof value === "object") {
      var copy = {};
      Object.keys(value).forEach(function (key) { copy[key] = resolve(value[key], colours); });
      return copy;
    }
    return value;
  }

  /* On a phone every second tick, or their labels run into each other. */
  function sparse(figure) {
    var axis = figure.layout && figure.layout.xaxis;
    if (window.innerWidth < 480 && axis && axis.tickvals && axis.tickvals.length > 4) {
      var second = function (_, place) { return place % 2 === 0; };
      axis.tickvals = axis.tickvals.filter(second);
      axis.ticktext = axis.ticktext.filter(second);
    }
    return figure;
  }

  function paint(figures) {
    if (!figures) { return skip(); }
    var colours = {};
    setTimeout(function () {
      document.querySelectorAll("[data-table][aria-pressed=true]").forEach(function (button) {
        tabulate(button.dataset.table);
      });
    }, 300);
    return figures.map(function (figure) { return sparse(resolve(figure, colours)); });
  }

  function switchScheme() {
    var next = root.dataset.mantineColorScheme === "dark" ? "light" : "dark";
    root.dataset.mantineColorScheme = next;
    try { localStorage.setItem("mantine-color-scheme-value", next); }
    catch (e) { /* storage is switched off: the choice lasts as long as the page */ }
    window.dash_clientside.set_props("scheme", { data: next });
  }

  /* ---- finding ---------------------------------------------------------------------------- */
  var ID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;

  function find(value, known) {
    var wanted = (value || "").trim();
    if (ID.test(wanted)) { go("/exchanges/" + wanted); return ""; }
    if (picked && (known || []).indexOf(wanted) >= 0) { open(wanted); return ""; }
    return skip();
  }

  var picked = false;
  function open(slug) {
    picked = false;
    var time = timeOf(new URL(location.href)).toString();
    go("/integrations/" + encodeURIComponent(slug) + (time ? "?" + time : ""));
    var box = document.getElementById("find");
    if (box) { box.blur(); }
  }

  /* Rows of a list that hold what is typed. */
  function narrow(value) {
    var api = window.dash_ag_grid && window.dash_ag_grid.getApi("overview-grid");
    if (api) { api.setGridOption("quickFilterText", value || ""); }
    remember("q", value || "");
    return skip();
  }

  /* ---- keys and clicks -------------------------------------------------------------------- */
  var before = "";
  function typed(event) {
    if (event.target.id === "find" && event.key === "Enter") { picked = true; return; }
    if (event.ctrlKey || event.metaKey || event.altKey) { return; }
    if (/^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) { return; }
    var last = before;
    before = event.key;
    if (event.key === "/") {
      event.preventDefault();
      document.getElementById("find").focus();
    } else if (event.key === "?") {
      var keys = document.getElementById("keys");
      if (keys && !keys.open) { keys.showModal(); }
    } else if (event.key === "o" && last === "g") {
      go("/" + new URL(location.href).search);
    } else if (event.key === "r") {
      again();
    } else if (event.key === "t") {
      var range = document.getElementById("range");
      range.open = !range.open;
    } else if (event.key === "Escape") {
      document.getElementById("range").open = false;
    }
  }

  function clicked(event) {
    if (!event.target.closest) { return; }
    if (event.target.closest("#scheme-switch")) { switchScheme(); }
    if (event.target.closest("#zone-switch")) { switchZone(); }
    var table = event.target.closest("[data-table]");
    if (table) { switchTable(table); }
    var range = document.getElementById("range");
    if (range && range.open && !event.target.closest("#range, [data-portal], .mantine-Popover-dropdown")) {
      range.open = false;
    }
    if (event.target.id === "keys") { event.target.close(); }
    follow(event);
  }

  function restoreSearch() {
    var kept = new URL(location.href).searchParams.get("q");
    if (kept && document.getElementById("overview-find") && window.dash_clientside.set_props) {
      window.dash_clientside.set_props("overview-find", { value: kept });
    }
  }

  function title(text) {
    document.title = text ? text + " · Midspan" : "Midspan";
    window.scrollTo(0, 0);
    setTimeout(function () { mark(); showZone(); restoreSearch(); }, 0);
    return skip();
  }

  document.addEventListener("click", clicked);
  document.addEventListener("keydown", typed, true);
  document.addEventListener("mousedown", function (event) {
    if (event.target.closest && event.target.closest("[role=option]")) { picked = true; }
  }, true);
  document.addEventListener("visibilitychange", function () {
    if (!document.hidden && live()) { again(); }
  });
  setInterval(age, 1000);

  window.midspan = { go: go, remember: remember };
  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    midspan: {
      paint: paint, zoom: zoom, tick: tick, mark: mark, choose: choose, find: find, title: title,
      narrow: narrow, pick: pick, days: days,
    },
  });
})();
