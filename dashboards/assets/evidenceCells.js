/* Cells of failures. Values become text nodes and nothing else. */
(function () {
  "use strict";
  var cells = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});
  var e = function () { return window.React.createElement.apply(null, arguments); };
  var WIDE = 100, HIGH = 22;

  cells.Failure = function (props) {
    window.dashAgGridFunctions.watch(props.api);
    var data = props.data || {};
    var link = /^\/(?![/\\])/.test(data.href || "") ? data.href : undefined;
    return e("div", { className: "two" },
      e("a", { href: link, className: "cell-name", title: String(data.meaning || "") },
        String(props.value)),
      e("div", { className: "cell-sub mono", title: String(data.sub || "") }, String(data.sub || "")));
  };

  cells.Bars = function (props) {
    var data = props.data || {};
    var values = Array.isArray(props.value) ? props.value.map(Number) : [];
    var top = Math.max.apply(null, values.concat(1)), step = WIDE / Math.max(values.length, 1);
    var bars = values.map(function (value, place) {
      if (!(value > 0)) { return ""; }
      var high = Math.max(1.5, (HIGH * value) / top);
      return "M" + (place * step).toFixed(2) + " " + HIGH + "v-" + high.toFixed(2) +
        "h" + (step * 0.8).toFixed(2) + "v" + high.toFixed(2) + "z";
    }).join("");
    return e("svg", { className: "bars", viewBox: "0 0 " + WIDE + " " + HIGH, role: "img",
      preserveAspectRatio: "none", "aria-label": String(data.points_text || "") },
      e("title", null, String(data.points_text || "")), e("path", { d: bars }));
  };
})();
