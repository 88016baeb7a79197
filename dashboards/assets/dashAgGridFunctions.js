/* How grids behave. The first cell a grid draws hands its api to `watch`: by then it is there,
   whichever of rows, size and options came first. */
(function () {
  "use strict";
  var NARROW_PX = 530;
  var grids = (window.dashAgGridFunctions = window.dashAgGridFunctions || {});

  var watched = new WeakSet();
  grids.watch = function (api) {
    if (!api || watched.has(api)) { return; }
    watched.add(api);
    api.addEventListener("gridSizeChanged", grids.narrow);
    api.addEventListener("rowClicked", grids.openRow);
    if (api.getGridId && api.getColumn("search")) { grids.list(api); }
    setTimeout(function () { if (!api.isDestroyed()) { grids.narrow({ api: api }); } }, 0);
  };

  /* Columns that are not marked to keep give way when there is no room. */
  grids.narrow = function (params) {
    var seen = params.api.getHorizontalPixelRange();
    var width = params.clientWidth || seen.right - seen.left;
    if (!width) { return; }
    var spare = params.api.getColumns().filter(function (column) {
      var context = column.getColDef().context || {};
      return !context.keep && !context.never;
    });
    var wanted = width >= NARROW_PX;
    var wrong = spare.filter(function (column) { return column.isVisible() !== wanted; });
    if (wrong.length) { params.api.setColumnsVisible(wrong, wanted); }
  };

  /* A list that is searched, sorted and grouped: what is typed and the order are in the address,
     and the members of a group stay under its head whatever they are sorted by. */
  grids.list = function (api) {
    api.setGridOption("includeHiddenColumnsInQuickFilter", true);
    api.setGridOption("postSortRows", grids.regroup);
    var query = new URL(location.href).searchParams;
    var order = (query.get("sort") || "").split(":");
    if (api.getColumn(order[0])) {
      var state = [{ colId: order[0], sort: order[1] === "desc" ? "desc" : "asc" }];
      api.applyColumnState({ state: state, defaultState: { sort: null } });
    }
    if (query.get("q")) { api.setGridOption("quickFilterText", query.get("q")); }
    api.addEventListener("sortChanged", function () {
      var sorted = api.getColumnState().filter(function (column) { return column.sort; })[0];
      window.midspan.remember("sort", sorted ? sorted.colId + ":" + sorted.sort : "");
    });
  };

  grids.regroup = function (params) {
    var groups = {}, names = [];
    params.nodes.forEach(function (node) {
      var name = node.data.group;
      if (name === undefined) { return; }
      if (!groups[name]) { groups[name] = []; names.push(name); }
      if (node.data.head) { groups[name].unshift(node); } else { groups[name].push(node); }
    });
    if (!names.length) { return; }
    var ordered = [].concat.apply([], names.map(function (name) { return groups[name]; }));
    ordered.forEach(function (node, place) { params.nodes[place] = node; });
  };

  /* A click on a row goes where its link goes, unless text was selected. */
  grids.openRow = function (params) {
    var target = params.event && params.event.target;
    if (!params.data || !params.data.href || (target && target.closest("a"))) { return; }
    if (String(window.getSelection())) { return; }
    window.midspan.go(params.data.href);
  };
})();
