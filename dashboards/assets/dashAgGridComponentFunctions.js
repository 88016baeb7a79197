/* How cells look. Values become text nodes and nothing else; links lead to this server only. */
(function () {
  "use strict";
  var cells = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});
  var e = function () { return window.React.createElement.apply(null, arguments); };

  function local(href) {
    return typeof href === "string" && /^[/?](?![/\\])/.test(href) ? href : undefined;
  }

  function text(props, suffix) {
    var shown = props.data && props.data[props.colDef.field + suffix];
    return shown === undefined || shown === null ? "" : String(shown);
  }

  cells.Text = function (props) {
    window.dashAgGridFunctions.watch(props.api);
    var shown = props.value === undefined || props.value === null ? "" : String(props.value);
    return e("span", { className: "cell-text", title: shown }, shown);
  };

  cells.Shown = function (props) {
    window.dashAgGridFunctions.watch(props.api);
    var data = props.data || {};
    if (data.head) { return null; }
    var tone = props.tone && data[props.tone];
    var parts = [e("span", { key: "v", className: tone ? "toned tone-" + tone : "" },
      text(props, "_text") || String(props.value === undefined ? "" : props.value))];
    if (props.note && data[props.note]) {
      parts.push(e("span", { key: "n", className: "cell-note" }, "\u2009" + data[props.note]));
    }
    var tip = (props.tip && data[props.tip]) || undefined;
    if (!props.sub) { return e("span", { className: "number", title: tip }, parts); }
    return e("div", { className: "two number", title: tip }, e("div", null, parts),
      e("div", { className: "cell-sub" }, String(data[props.sub] || "")));
  };

  /* Exchanges per step as a line, the failed ones among them as bars from the ground. */
  var WIDE = 100, HIGH = 20;
  cells.Spark = function (props) {
    var data = props.data || {}, steps = data.spark || [];
    if (data.head) { return null; }
    var top = Math.max.apply(null, steps.concat(1));
    var x = function (place) { return steps.length < 2 ? 0 : (place * WIDE) / (steps.length - 1); };
    var y = function (value) { return HIGH - 1 - ((HIGH - 2) * value) / top; };
    var line = steps.map(function (value, place) {
      return (place ? "L" : "M") + x(place).toFixed(1) + " " + y(value).toFixed(1);
    }).join("");
    var bad = (data.spark_bad || []).map(function (value, place) {
      if (HIGH - 1 - y(value) < 1) { return ""; }
      return "M" + x(place).toFixed(1) + " " + HIGH + "V" + y(value).toFixed(1);
    }).join("");
    var said = text(props, "_text") + " exchanges";
    return e("div", { className: "two" },
      e("svg", { className: "spark", viewBox: "0 0 " + WIDE + " " + HIGH, role: "img",
        preserveAspectRatio: "none", "aria-label": said },
        bad ? e("path", { className: "spark-bad", d: bad }) : null,
        line ? e("path", { className: "spark-line", d: line }) : null),
      e("div", { className: "cell-sub number" }, text(props, "_text"),
        data.traffic_note ? " · " + data.traffic_note : ""));
  };

  cells.Budget = function (props) {
    var data = props.data || {};
    if (data.head) { return null; }
    return e("div", { className: "budget tone-" + data.budget_tone, title: data.budget_tip },
      e("span", { className: "bar" }, e("span", { className: "fill",
        style: { width: 100 * (data.budget_share || 0) + "%" } })),
      e("span", { className: "number" }, text(props, "_text")));
  };

  cells.Linked = function (props) {
    window.dashAgGridFunctions.watch(props.api);
    var data = props.data || {};
    return e("div", { className: "two" },
      e(data.href ? "a" : "span", { href: local(data.href), className: "cell-name" },
        String(props.value)),
      e("div", { className: "cell-sub" }, props.sub ? String(data[props.sub] || "") : ""));
  };

  cells.Code = function (props) {
    window.dashAgGridFunctions.watch(props.api);
    var data = props.data || {};
    var shown = String(props.value === undefined ? "" : props.value);
    var name = props.plain
      ? e("span", { className: "mono", title: shown }, shown)
      : e("a", { href: local(data.href), className: "mono", title: shown }, shown);
    return e("div", { className: "two" }, name,
      e("div", { className: "cell-sub" }, props.sub ? String(data[props.sub] || "") : ""));
  };

  cells.Status = function (props) {
    var data = props.data || {};
    if (data.head) { return null; }
    return e("div", { className: "two" },
      e("div", null, e("span", { className: "badge tone-" + data.tone }, String(data.status || ""))),
      data.reason ? e("div", { className: "cell-sub", title: data.reason }, data.reason) : null);
  };

  cells.Toned = function (props) {
    var tone = props.data && props.data[props.tone];
    var shown = String(props.value === undefined ? "" : props.value);
    return e("span", { className: tone ? "toned tone-" + tone : "" }, shown);
  };

  function ago(us) {
    var seconds = Math.max(0, Date.now() / 1000 - us / 1e6);
    if (seconds < 1) { return "now"; }
    var unit = seconds < 60 ? [1, "s"] : seconds < 3600 ? [60, "min"]
      : seconds < 86400 ? [3600, "h"] : [86400, "d"];
    return Math.floor(seconds / unit[0]) + "\u202f" + unit[1] + " ago";
  }

  cells.When = function (props) {
    var data = props.data || {};
    var time = e("time", { title: data.stamp }, ago(Number(props.value)));
    return props.href ? e("a", { href: local(data[props.href]) }, time) : time;
  };

  cells.Faults = function (props) {
    if (props.data && props.data.head) { return null; }
    var faults = (props.data && props.data.faults) || [];
    var total = faults.reduce(function (sum, each) { return sum + each[1]; }, 0);
    var said = faults.filter(function (each) { return each[1]; }).map(function (each) {
      return each[0] + " " + Number(each[1]).toLocaleString("en-GB");
    }).join(", ");
    return e("span", { className: "faults", title: said || "no failure", role: "img",
      "aria-label": said || "no failure" },
      faults.filter(function (each) { return each[1]; }).map(function (each) {
        return e("i", { key: each[0], className: "fault-" + each[0],
          style: { width: (100 * each[1]) / total + "%" } });
      }));
  };
})();
