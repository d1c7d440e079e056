/** A panel with its frame, title and visualization. */
import { type DataFrame, dateTime, getFieldDisplayValues, type TimeRange, VizOrientation } from '@grafana/data';
import type { BarGaugeValueMode, VizLegendOptions } from '@grafana/schema';
import {
  BarGauge,
  type BarGaugeDisplayMode,
  BigValue,
  BigValueColorMode,
  BigValueGraphMode,
  PanelChrome,
  TimeSeries,
  VizRepeater,
} from '@grafana/ui';
import { TableNG } from '@grafana/ui/unstable';
import type { Answers, Panel, Range } from '../collect.ts';
import { framesOf } from './frames.ts';
import { theme } from './theme.ts';

interface Size {
  readonly width: number;
  readonly height: number;
}

export function PanelBox({
  panel,
  answers,
  width,
  height,
}: { readonly panel: Panel; readonly answers: Answers } & Size): React.JSX.Element {
  const ofMetrics = panel.targets.some(({ expr }) => expr !== undefined);
  const range = ofMetrics ? answers.metricsRange : answers.range;
  const isShorter = ofMetrics && panel.type === 'timeseries' && answers.metricsRange[0] > answers.range[0];
  const frames = framesOf(panel, answers.frames[panel.id] ?? []);
  return (
    <PanelChrome
      title={panel.title}
      description={panel.description}
      width={width}
      height={height}
      padding={panel.type === 'table' ? 'none' : 'md'}
      titleItems={
        isShorter ? <span style={{ color: theme.colors.text.secondary, fontSize: 12 }}>Last {minutes(range)} minutes</span> : undefined
      }
    >
      {(innerWidth, innerHeight) => <Visualization panel={panel} frames={frames} range={range} width={innerWidth} height={innerHeight} />}
    </PanelChrome>
  );
}

interface VisualizationProps extends Size {
  readonly panel: Panel;
  readonly frames: DataFrame[];
  readonly range: Range;
}

function Visualization({ panel, frames, range, width, height }: VisualizationProps): React.JSX.Element {
  if (frames.every(({ length }) => length === 0)) return <Nothing text={String(panel.fieldConfig.defaults.noValue)} height={height} />;
  switch (panel.type) {
    case 'timeseries':
      return (
        <TimeSeries
          frames={frames}
          width={width}
          height={height}
          timeRange={timeRange(range)}
          timeZone="utc"
          legend={panel.options.legend as VizLegendOptions}
        />
      );
    case 'table':
      return <TableNG data={frames[0] as DataFrame} width={width} height={height} enableVirtualization={false} />;
    case 'stat':
      return <Stats frames={frames} width={width} height={height} />;
    case 'bargauge':
      return <Gauges panel={panel} frames={frames} width={width} height={height} />;
    default:
      throw new Error(`panels of type ${panel.type} cannot be drawn: see README.md`);
  }
}

function Nothing({ text, height }: { readonly text: string; readonly height: number }): React.JSX.Element {
  return (
    <div style={{ display: 'flex', height, alignItems: 'center', justifyContent: 'center', color: theme.colors.text.secondary }}>
      {text}
    </div>
  );
}

/** As Grafana's own panels of numbers reduce and repeat. */
function valuesOf(frames: DataFrame[]): ReturnType<typeof getFieldDisplayValues> {
  return getFieldDisplayValues({
    fieldConfig: { defaults: {}, overrides: [] },
    reduceOptions: { calcs: ['lastNotNull'], values: false },
    replaceVariables: (text) => text,
    theme,
    data: frames,
    timeZone: 'utc',
  });
}

function Stats({ frames, width, height }: { readonly frames: DataFrame[] } & Size): React.JSX.Element {
  return (
    <VizRepeater
      source={frames}
      getValues={() => valuesOf(frames)}
      renderCounter={1}
      orientation={VizOrientation.Auto}
      width={width}
      height={height}
      renderValue={({ value, width: each, height: high, count }) => (
        <BigValue
          theme={theme}
          width={each}
          height={high}
          value={count === 1 ? { ...value.display, title: '' } : value.display}
          colorMode={BigValueColorMode.Value}
          graphMode={BigValueGraphMode.None}
        />
      )}
    />
  );
}

function Gauges({ panel, frames, width, height }: { readonly panel: Panel; readonly frames: DataFrame[] } & Size): React.JSX.Element {
  const { displayMode, valueMode, showUnfilled, minVizHeight, maxVizHeight } = panel.options;
  return (
    <VizRepeater
      source={frames}
      getValues={() => valuesOf(frames)}
      renderCounter={1}
      orientation={VizOrientation.Horizontal}
      width={width}
      height={height}
      minVizHeight={minVizHeight as number}
      maxVizHeight={maxVizHeight as number}
      itemSpacing={10}
      renderValue={({ value, width: each, height: high, orientation }) => (
        <BarGauge
          theme={theme}
          width={each}
          height={high}
          value={value.display}
          field={value.field}
          orientation={orientation}
          displayMode={displayMode as BarGaugeDisplayMode}
          valueDisplayMode={valueMode as BarGaugeValueMode}
          showUnfilled={showUnfilled as boolean}
          itemSpacing={10}
        />
      )}
    />
  );
}

function timeRange([from, to]: Range): TimeRange {
  const [start, end] = [dateTime(from), dateTime(to)];
  return { from: start, to: end, raw: { from: start, to: end } };
}

const minutes = ([from, to]: Range): number => Math.round((to - from) / 60_000);
