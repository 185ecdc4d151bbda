// The part of Apache ECharts that the page of reports uses. The whole has twice the size.
import { use } from "echarts/core";
import { BarChart, HeatmapChart, SankeyChart } from "echarts/charts";
import { GridComponent, TooltipComponent, VisualMapContinuousComponent } from "echarts/components";
import { CanvasRenderer } from "echarts/renderers";

use([
  BarChart, HeatmapChart, SankeyChart,
  GridComponent, TooltipComponent, VisualMapContinuousComponent,
  CanvasRenderer,
]);

export { init } from "echarts/core";
