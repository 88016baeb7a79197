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
    setTimeout(function () { if (!api.isDestroyed()) { grids.narrow({ api: api }); } }, 0);
  };

  /* Columns that are not marked to keep give way when there is no room. */
  grids.narrow = function (params) {
    var seen = params.api.getHorizontalPixelRange();
    var width = params.clientWidth || seen.right - seen.left;
    if (!width) { return; }
    var spare = params.api.getColumns().filter(function (column) {
      return !(column.getColDef().context || {}).keep;
    });
    var wanted = width >= NARROW_PX;
    var wrong = spare.filter(function (column) { return column.isVisible() !== wanted; });
    if (wrong.length) { params.api.setColumnsVisible(wrong, wanted); }
  };

  /* A click on a row goes where its link goes, unless text was selected. */
  grids.openRow = function (params) {
    var target = params.event && params.event.target;
    if (!params.data || !params.data.href || (target && target.closest("a"))) { return; }
    if (String(window.getSelection())) { return; }
    window.midspan.go(params.data.href);
  };
})();
