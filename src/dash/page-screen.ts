/** A screen of the dashboard from what its page says. */

import { describePage } from './describe.ts'
import { drawPage } from './draw-page.ts'
import { cellOf, type PageOf } from './page.ts'
import type { Screen } from './screen.ts'
import { arrangeRows, cellTexts } from './table.ts'

const NOTHING_YET = new Map()

export type PageScreen = Screen & { readonly page: PageOf }

export function pageScreen(
  names: Pick<Screen, 'number' | 'name' | 'title' | 'shortTitle' | 'opens' | 'lacks'>,
  page: PageOf,
): PageScreen {
  return {
    ...names,
    page,
    reports: (view) => page(view, NOTHING_YET).requests,
    columns: (panels, view) => page(view, panels).table.columns.map(({ heading }) => heading),
    rows(panels, view) {
      const { table } = page(view, panels)
      const result = panels.get(table.report)?.result
      if (result === undefined) return []
      return arrangeRows(table, result, view).map((row) => {
        const key = table.key === undefined ? null : cellOf(result, row, table.key)
        return { key: key === null ? undefined : String(key), cells: cellTexts(table, result, row) }
      })
    },
    draw: (panels, view, size) => drawPage(page(view, panels), panels, view, size),
    describe: (panels, view) => describePage(page(view, panels), panels, view),
  }
}
