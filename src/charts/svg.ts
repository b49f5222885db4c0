/** Charts as vectors, drawn from the numbers: terminal glyphs do not line up in pictures. Values show on hovering. */

import { safeText } from '../safe-text.ts'
import { textWidth } from '../text-width.ts'
import type { ChartSpec, Result, Size, Tone } from '../types.ts'
import { clipText, widest } from './frame.ts'
import { percentText, shortNumber, valueText } from './number-text.ts'
import { fullScale, zeroScale } from './scale.ts'
import { type Data, readData, type Series, type Value } from './series.ts'

/** Told apart also by those who see red and green alike, and by the dashes of `DASHES`. */
const SERIES_COLORS = ['#0072b2', '#d55e00', '#009e73', '#7b3294']
const DASHES = ['', '6 4', '2 3', '10 3 2 3']

const TONE_COLORS: Readonly<Record<Tone, string>> = {
  plain: '#1b1f24',
  muted: '#57606a',
  strong: '#1b1f24',
  accent: '#0072b2',
  good: '#116329',
  bad: '#a40e26',
  warn: '#8a5a00',
}

const FONT_PX = 13
/** Width that most letters keep within, and the height of a line, in pixels. */
const LETTER = 8
export const LINE = 20

interface TextStyle {
  readonly tone?: Tone
  readonly anchor?: 'start' | 'middle' | 'end'
  readonly size?: number
  readonly isBold?: boolean
}

/** Text at a point; what data says cannot become markup. */
export function svgText(x: number, y: number, text: string, style: TextStyle = {}): string {
  const { tone = 'plain', anchor = 'start', size = FONT_PX, isBold = tone === 'strong' } = style
  const weight = isBold ? ' font-weight="600"' : ''
  const attributes = `font-size="${size}" fill="${TONE_COLORS[tone]}" text-anchor="${anchor}"${weight}`
  return `<text x="${round(x)}" y="${round(y)}" ${attributes}>${escapeXml(text)}</text>`
}

/** Text in so many pixels, about: letters differ. */
export function clipToPixels(text: string, pixels: number): string {
  return clipText(safeText(text), Math.floor(pixels / LETTER), '…')
}

export function pixelsOf(text: string): number {
  return textWidth(text) * LETTER
}

export function escapeXml(text: string): string {
  const names: Readonly<Record<string, string>> = {
    '&': 'amp',
    '<': 'lt',
    '>': 'gt',
    '"': 'quot',
    "'": 'apos',
  }
  return safeText(text).replace(/[&<>"']/g, (character) => `&${names[character]};`)
}

/** A bar with what it stands for; `fraction` from 0 to 1. */
export function svgTrack(x: number, y: number, width: number, fraction: Value, hint: string): string {
  const filled = Math.max(0, Math.min(1, fraction ?? 0)) * width
  return (
    `<g>${hintOf(hint)}<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="12" fill="#eaeef2"/>` +
    `<rect x="${round(x)}" y="${round(y)}" width="${round(filled)}" height="12" fill="${SERIES_COLORS[0]}"/></g>`
  )
}

/** Draws inside `size` from (0, 0), without a title. @throws UserError LPA-CHART-COLUMN */
export function svgChart(result: Result, spec: ChartSpec, size: Size): string {
  const data = readData(result, spec)
  if (!data.series.some(({ values }) => values.some((value) => value !== null))) {
    return svgText(0, LINE, 'no values', { tone: 'muted' })
  }
  switch (spec.kind) {
    case 'line':
      return lineSvg(data, size)
    case 'heat':
      return heatSvg(data, size)
    case 'progress':
      return barsSvg(data, size, (value) => [
        (value ?? 0) / 100,
        percentText(value === null ? null : value / 100),
      ])
    case 'funnel': {
      const first = data.series[0]?.values[0] ?? null
      const share = (value: Value) => (value === null || !first ? null : value / first)
      return barsSvg(data, size, (value) => [
        share(value) ?? 0,
        `${value === null ? '-' : valueText(value)}  ${percentText(share(value))}`,
      ])
    }
    default: {
      const scale = fullScale(data.series.flatMap(({ values }) => values))
      return barsSvg(data, size, (value, { unit }) => [
        value === null || scale.high <= 0 ? 0 : value / scale.high,
        value === null ? '-' : valueText(value) + unit,
      ])
    }
  }
}

/** What the series look like, in one line. */
export function svgLegend(result: Result, spec: ChartSpec, x: number, y: number): string {
  const { series } = readData(result, spec)
  if (series.length < 2 || spec.kind === 'heat') return ''
  let left = x
  return series
    .map(({ label }, index) => {
      const sample = `<path d="M${round(left)} ${y - 4}h22" ${strokeOf(index)}/>`
      const text = svgText(left + 28, y, label, { tone: 'muted' })
      left += 28 + pixelsOf(label) + 20
      return sample + text
    })
    .join('')
}

function strokeOf(index: number): string {
  const dash = DASHES[index % DASHES.length]
  const dashes = dash === '' ? '' : ` stroke-dasharray="${dash}"`
  return `fill="none" stroke="${SERIES_COLORS[index % SERIES_COLORS.length]}" stroke-width="2"${dashes}`
}

function lineSvg(data: Data, { width, height }: Size): string {
  const scale = zeroScale(data.series.flatMap(({ values }) => values))
  const unit = data.series.every((one) => one.unit === '%') ? '%' : ''
  const ticks = scale.ticks.map((tick) => ({ tick, text: shortNumber(tick) + unit }))
  const left = widest(ticks.map(({ text }) => text)) * LETTER + 10
  const [plotWidth, plotHeight] = [Math.max(1, width - left - 10), Math.max(1, height - LINE - 8)]
  const count = data.labels.length
  const xOf = (index: number) => left + (count < 2 ? plotWidth / 2 : (index * plotWidth) / (count - 1))
  const yOf = (value: number) => 4 + (1 - scale.fraction(value)) * plotHeight
  const grid = ticks.map(
    ({ tick, text }) =>
      `<path d="M${left} ${round(yOf(tick))}h${round(plotWidth)}" stroke="#d0d7de"/>` +
      svgText(left - 6, yOf(tick) + 4, text, { tone: 'muted', anchor: 'end' }),
  )
  const marks = [...new Set([0, Math.round((count - 1) / 2), count - 1])].map((index, place, all) => {
    const anchor = place === 0 ? 'start' : place === all.length - 1 ? 'end' : 'middle'
    return svgText(xOf(index), height - 2, data.labels[index] ?? '', { tone: 'muted', anchor })
  })
  const lines = data.series.map(
    ({ values }, index) => `<path d="${pathOf(values, xOf, yOf)}" ${strokeOf(index)}/>`,
  )
  // A strip for each point, so that the hand need not hit the line.
  const strip = plotWidth / Math.max(1, count)
  const hints = data.labels.map((label, index) => {
    const told = data.series.map(({ label: name, values, unit: own }) => {
      const value = values[index] ?? null
      return `${name} ${value === null ? '-' : value.toLocaleString('en') + own}`
    })
    return `<rect x="${round(xOf(index) - strip / 2)}" y="0" width="${round(strip)}" height="${round(plotHeight)}" fill="transparent">${hintOf(`${label}: ${told.join(', ')}`)}</rect>`
  })
  return [...grid, ...marks, ...lines, ...hints].join('')
}

/** Missing values are gaps; a value between two gaps is a dot. */
function pathOf(
  values: readonly Value[],
  xOf: (index: number) => number,
  yOf: (value: number) => number,
): string {
  return values
    .map((value, index) => {
      if (value === null) return ''
      const point = `${round(xOf(index))} ${round(yOf(value))}`
      const isStart = (values[index - 1] ?? null) === null
      const isAlone = isStart && (values[index + 1] ?? null) === null
      return isAlone ? `M${point}h1` : `${isStart ? 'M' : 'L'}${point}`
    })
    .join('')
}

/** A row for each label and series; `shown` gives its length, from 0 to 1, and what is written beside it. */
function barsSvg(
  { labels, series }: Data,
  { width, height }: Size,
  shown: (value: Value, series: Series) => readonly [number, string],
): string {
  const rows = labels
    .flatMap((label, row) =>
      series.map((one, index) => ({ label, one, index, value: one.values[row] ?? null })),
    )
    .filter(({ value }) => value !== null)
  const fitting = Math.max(1, Math.floor(height / LINE))
  const kept = rows.slice(0, rows.length <= fitting ? fitting : fitting - 1)
  const labelWidth = Math.min(widest(kept.map(({ label }) => label)) * LETTER, width * 0.4) + 8
  const texts = kept.map(({ value, one }) => shown(value, one))
  const room = Math.max(1, width - labelWidth - widest(texts.map(([, text]) => text)) * LETTER - 8)
  const bars = kept.map(({ label, one, index, value }, row) => {
    const [fraction, text] = texts[row] as readonly [number, string]
    const length = Math.max(0, Math.min(1, fraction)) * room
    const top = row * LINE
    const name = series.length > 1 ? `${label.trim()}, ${one.label}` : label.trim()
    return (
      `<g>${hintOf(`${name}: ${value?.toLocaleString('en')}${one.unit}`)}` +
      svgText(0, top + 14, index === 0 ? clipToPixels(label, labelWidth - 8) : '') +
      `<rect x="${round(labelWidth)}" y="${top + 3}" width="${round(length)}" height="14" fill="${SERIES_COLORS[index % SERIES_COLORS.length]}"/>` +
      `${svgText(labelWidth + length + 6, top + 14, text)}</g>`
    )
  })
  const left = rows.length - kept.length
  return (
    bars.join('') + (left > 0 ? svgText(0, kept.length * LINE + 14, `… ${left} more`, { tone: 'muted' }) : '')
  )
}

function heatSvg({ labels, series }: Data, { width, height }: Size): string {
  const fitting = Math.max(1, Math.floor(height / LINE) - 1)
  // The newest rows are the last.
  const first = Math.max(0, labels.length - fitting)
  const labelWidth = Math.min(widest(labels) * LETTER, width * 0.3) + 8
  const cell = Math.max(1, (width - labelWidth) / Math.max(1, series.length))
  const { high } = zeroScale(series.flatMap(({ values }) => values))
  const heads = series.map(({ label }, column) =>
    svgText(labelWidth + (column + 0.5) * cell, 14, clipToPixels(label, cell), {
      tone: 'muted',
      anchor: 'middle',
    }),
  )
  const rows = labels.slice(first).map((label, row) => {
    const top = (row + 1) * LINE
    const cells = series.map(({ label: name, unit, values }, column) => {
      const value = values[first + row] ?? null
      if (value === null) return ''
      const fraction = Math.max(0, Math.min(1, value / high))
      const x = labelWidth + column * cell
      // White on the dark half of the shades.
      const color = fraction > 0.6 ? '#ffffff' : '#1b1f24'
      return (
        `<g>${hintOf(`${label}, ${name}: ${valueText(value)}${unit}`)}` +
        `<rect x="${round(x)}" y="${top}" width="${round(cell - 2)}" height="${LINE - 2}" fill="#0072b2" fill-opacity="${(0.08 + 0.92 * fraction).toFixed(2)}"/>` +
        `<text x="${round(x + cell / 2)}" y="${top + 14}" font-size="12" text-anchor="middle" fill="${color}">${Math.round(value)}</text></g>`
      )
    })
    return svgText(0, top + 14, clipToPixels(label, labelWidth - 8)) + cells.join('')
  })
  return [...heads, ...rows].join('')
}

function hintOf(text: string): string {
  return `<title>${escapeXml(text)}</title>`
}

function round(pixels: number): number {
  return Math.round(pixels * 10) / 10
}
