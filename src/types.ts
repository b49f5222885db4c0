/** The interfaces that layers meet through. Imports nothing: every other module may import this one. */

export type Dialect = 'duckdb' | 'snowflake' | 'spark'

export type ColumnType = 'text' | 'integer' | 'decimal' | 'double' | 'boolean' | 'date' | 'timestamp' | 'json'

export interface Column {
  readonly name: string
  readonly type: ColumnType
}

/**
 * One value of a result. `integer` is a number while it is safe, else a bigint; `decimal` is its exact text;
 * `date` is `YYYY-MM-DD`; `timestamp` is ISO 8601 in UTC (`2026-01-12T08:13:22.120Z`); `json` is JSON text.
 */
export type Cell = string | number | bigint | boolean | null
export type Row = readonly Cell[]

/** Rows in the order of `columns`. Small by intent: a report, not a table. */
export interface Result {
  readonly columns: readonly Column[]
  readonly rows: readonly Row[]
  /** Values that are left out, and null, since a role may not see counts of so few: their rows and columns, from 0. */
  readonly hidden?: readonly (readonly [row: number, column: number])[]
}

/** A result that is read piece by piece, for exports of any size. */
export interface ResultStream {
  readonly columns: readonly Column[]
  readonly chunks: AsyncIterable<readonly Row[]>
}

/** Values bound by name (`$name`) to a statement; never spliced into its text. */
export type Values = Readonly<Record<string, Cell>>

/** What an engine has. Code asks these, never the dialect; the README's table is printed from them. */
export interface Capabilities {
  readonly transactions: boolean
  /** Whether tables can be made and changed inside a transaction; else that ends it. */
  readonly transactionalDdl: boolean
  readonly roles: boolean | 'emulated'
  readonly masking: boolean | 'emulated'
  readonly tags: boolean | 'emulated'
  readonly clustering: boolean
  /** Whether tables are files that lpa keeps, counts and verifies. */
  readonly files: boolean
  readonly timeTravel: boolean
  readonly variant: boolean
}

/** A Parquet file of the front end whose rows belong to one table. Holds no clear personal value. */
export interface ParquetFile {
  readonly table: string
  readonly path: string
  readonly rows: number
  readonly sha256: string
}

/** Records by fate: `read = mapped + rejected + filtered + doubled`, or the load fails. */
export interface Counts {
  readonly read: number
  readonly mapped: number
  readonly rejected: number
  readonly filtered: number
  readonly doubled: number
}

/** The ledger row of a load, as in `meta.loads`; the engine adds `committed_at`. */
export interface LoadRecord {
  readonly loadId: number
  readonly source: string
  readonly format: string
  readonly uri: string
  readonly contentSha256: string
  readonly bytes: number
  readonly counts: Counts
  readonly mappingSha256: string
  readonly keyId: string
  readonly startedAt: string
  /** Rows by entity, for `meta.load_entities`. */
  readonly entities: Readonly<Record<string, number>>
}

/** A table or view as `schema/ddl_*.sql` declares it. */
export interface TableDeclaration {
  readonly kind: 'table' | 'view'
  /** `core.fact_enrollment` */
  readonly name: string
  readonly columns: readonly { readonly name: string; readonly type: string; readonly required: boolean }[]
  /** What a row is, where that is said. */
  readonly grain: string | undefined
  /** Columns whose values together no other row has; none where that is not said. */
  readonly key: readonly string[]
  /** Columns that queries filter by, coarsest first. */
  readonly cluster: readonly string[]
  /** A timestamp column whose month makes a partition. */
  readonly partitionMonth: string | undefined
  /** The `create` statement as written. */
  readonly sql: string
}

/** What `schema apply` changes in a live table by itself; everything else is a numbered change. */
export type TableChange =
  | {
      readonly kind: 'add column' | 'widen column' | 'replace column'
      readonly column: string
      readonly type: string
    }
  | { readonly kind: 'allow null'; readonly column: string }
  | { readonly kind: 'cluster' }

/** A model of `sql/models`, ready to run on one engine. */
export interface Model {
  /** A table of core, or of a `temporary` model its own name. */
  readonly name: string
  /** The table's columns; the SELECT gives them by name. */
  readonly columns: readonly string[]
  readonly select: string
  /**
   * `table`: every row anew. `incremental`: rows whose key is not there yet are added; with a window, rows whose key
   * is in that temporary table are taken away and made anew. Nothing is done where the window of either is empty.
   * `temporary`: rows are added to a table of this transaction, those that are not there yet; all that there are, `once`.
   */
  readonly materialise:
    | { readonly kind: 'table'; readonly window?: string }
    | { readonly kind: 'temporary'; readonly once?: true }
    | { readonly kind: 'incremental'; readonly key: readonly string[]; readonly window?: string }
}

/** A model that ran elsewhere: its rows lie in Parquet files, which have its columns by name. */
export interface ModelFiles extends Omit<Model, 'select'> {
  readonly files: readonly string[]
  /** Columns that are JSON, and text in the files. */
  readonly json: readonly string[]
}

/** What one load brings: staged files and their ledger row. */
export interface Batch {
  readonly files: readonly ParquetFile[]
  readonly load: LoadRecord
  /** Of an API: from where its next load goes on. */
  readonly cursor?: string | undefined
}

/** What an engine finds wrong with a statement: a name that it does not know, its text and values, rows that a table may not hold. */
export type Fault = 'name' | 'text' | 'rows'

/** What a warehouse is opened for: `plan` reads, and where there is none yet, sees that. */
export type OpenMode = 'read' | 'confined' | 'plan' | 'write' | 'create'

/** A state of the warehouse: a snapshot's number, or an instant. */
export type At = { readonly version: string } | { readonly time: string }

/** What a role may, by the policy that was applied. */
export interface RoleTraits {
  readonly role: string
  /** Whose attributes the row rules took. */
  readonly user: string
  /** Counts of fewer learners are not shown, and only reports are answered. */
  readonly minCell?: number
  readonly mayReveal: boolean
  /** Tables and views that its SQL may name: `core.fact_enrollment`. */
  readonly tables: readonly string[]
  /** Attributes that row rules ask for and the user has not: no row passes. */
  readonly missingAttributes: readonly string[]
}

/** What a role sees of the embedded engine's warehouse, ready to be made in a connection of its own. */
export interface RoleViews extends RoleTraits {
  /** Makes the role's catalog, and makes it the only one that names are looked up in. */
  readonly statements: readonly string[]
}

/** The same for a session of Spark. */
export interface SparkRoleViews extends RoleTraits {
  /** Of each table and view that is needed, the SELECT of what the role sees of it: each after those that it names. */
  readonly views: ReadonlyMap<string, string>
}

/** What reports are asked of. */
export interface Reader {
  readonly dialect: Dialect
  query(statement: string, values?: Values): Promise<Result>
  /** A text that changes with every commit: a snapshot id. */
  version(): Promise<string>
  /** Asked more often than this, in milliseconds, it would never be suspended, and cost; none: as often as one likes. */
  readonly leastPollMs?: number
  /** Where runs on this machine leave word of themselves, if anywhere. */
  readonly scratch?: string
  /** The role by which it reads; none: the owner. */
  readonly role?: RoleTraits
  /** Stops the running statement, and what comes after it: the reader can only be closed then. */
  interrupt(): void
  close(): Promise<void>
}

/** What is known of a transaction before it begins. */
export interface TransactionTraits {
  /** The tables of `schema/ddl_session.sql` that it fills. */
  readonly uses?: readonly string[]
  /**
   * Of how many rows it is: few are written sooner by one thread, since to plan is most of the work, and threads wait for
   * one another meanwhile.
   */
  readonly rows?: number
  /** How long it waits for another writer, in place of what the warehouse was opened with. */
  readonly lockWaitMs?: number
}

/** What runs models inside the warehouse's open transaction: its own engine, or one beside it that works on its files. */
export interface ModelRunner {
  readonly dialect: Dialect
  /** Fills a table of this session only, in place of what one of that name held. */
  temporaryTable(name: string, content: Result): Promise<void>
  /** Runs a model; `full` makes every row anew. Answers the rows written. */
  materialise(model: Model, full: boolean): Promise<number>
}

/** Rows of one table that are of people who are to be erased, and rows of others in which these are named. */
export interface PeopleRows {
  readonly table: string
  readonly removed: number
  readonly blanked: number
}

/** What went with the past of a warehouse. */
export interface ForgottenPast {
  readonly filesRewritten: number
  readonly filesDeleted: number
  readonly snapshotsExpired: number
}

/** Files of a warehouse in which people were looked for: each byte, and each value of a table as it reads. */
export interface SearchedFiles {
  readonly files: number
  readonly bytes: number
  /** Those that name one, by path below the warehouse. */
  readonly found: readonly string[]
}

/** What there is to do so that a warehouse stays small and quick. */
export interface Upkeep {
  /** Files of tables that are merged, or rid of deleted rows. */
  readonly files: number
  /** Rows of single commits that lie in the catalog. */
  readonly rows: number
  /** Older states that `warehouse.time_travel` does not keep. */
  readonly states: number
  /** Files that no state has needed for an hour. */
  readonly unneeded: number
  /** Of the catalog, that nothing lies in. */
  readonly freeBytes: number
}

export interface UpkeepPolicy {
  /** Whether states go that `warehouse.time_travel` does not keep. */
  readonly expires: boolean
}

/** What was done of it. */
export interface Upkept extends Upkeep {
  /** What it ended with before all was done. */
  readonly failure?: unknown
  /** By how much the warehouse is smaller; less than nothing while files that were merged are still kept for readers and older states. */
  readonly freedBytes: number
}

export interface Engine extends Reader, ModelRunner {
  readonly can: Capabilities
  /** To open it is a login, perhaps with a telephone in the hand: a run asks for one, also for its own record. */
  readonly isLoggedIn?: true
  /** Of staged files: the newer one is smaller and read sooner, where it is read. */
  readonly parquetVersion: 'v1' | 'v2'
  /** Runs one statement; answers the number of rows it changed. */
  execute(statement: string, values?: Values): Promise<number>
  stream(statement: string, values?: Values): Promise<ResultStream>
  /** Writes a query's rows to a new Parquet file; answers how many. */
  exportParquet(statement: string, values: Values, file: string): Promise<number>
  /** Reads several times of one state of the warehouse, whatever others commit meanwhile. */
  oneState<T>(work: () => Promise<T>): Promise<T>
  /**
   * Refuses user SQL that is not one SELECT over the warehouse's tables.
   * @throws UserError notPermitted (77) that names what was refused
   */
  assertReadOnly(statement: string): Promise<void>
  /** What of a statement an error of this engine blames; undefined for all else that can fail. */
  faultOf(error: unknown): Fault | undefined
  /** Runs `work` in one transaction under the writer lock: all or nothing, what throws rolls back. */
  transaction<T>(work: () => Promise<T>, about?: TransactionTraits): Promise<T>
  /** `TransactionTraits.rows`, where it is known only inside the open transaction. */
  expectRows(rows: number): Promise<void>
  /** A declared table as this warehouse is configured to have it. */
  configured(table: TableDeclaration): TableDeclaration
  /** A view's SELECT as the engine writes it back; without this it keeps it as it was written. */
  canonicalView?(select: string): Promise<string>
  /** Statements that create what a declared table asks for: the table, its clustering, its partitions. */
  createTable(table: TableDeclaration): readonly string[]
  /** Statements that bring a live table closer to what is declared. */
  alterTable(table: TableDeclaration, change: TableChange): readonly string[]
  /** The statement that brings a dropped table back with its rows, where the engine keeps these for some time. */
  undropTable?(name: string): string
  /**
   * Parquet files that hold the rows of a table as they are, and no others. Where tables are files: its own, and where rows of
   * these are deleted or some are in no file, a copy in `folder`. Elsewhere a copy of all inside the open transaction, of the
   * declared types, JSON and VARIANT as text. They stay while the transaction is open.
   */
  plainFiles(table: string, folder: string): Promise<readonly string[]>
  /**
   * `materialise()` of a model that ran elsewhere, of a temporary one with all its rows. The files stay where they are. Answers
   * the rows written.
   */
  takeIn(model: ModelFiles, full: boolean): Promise<number>
  /** A number that no other load has; gaps are ordinary. */
  nextLoadId(): Promise<number>
  /** A private folder on the same file system as the warehouse, for staged files. */
  readonly scratch: string
  /**
   * Adds a batch inside the open transaction: rows, rejected rows, ledger and cursor, to be committed together.
   * Takes the staged files away from where they lie.
   */
  append(batch: Batch): Promise<void>
  /**
   * Takes the rows of earlier loads away inside the open transaction, in favour of load `by`: a newer snapshot, or the
   * same content read by another mapping. Their ledger rows stay and say so.
   */
  supersede(loadIds: readonly number[], by: number): Promise<void>
  /** Rows that name people, by their pseudonyms. */
  countPeople(pseudonyms: readonly string[]): Promise<PeopleRows[]>
  /** Takes them away inside the open transaction; core is to be made anew in it. */
  erasePeople(pseudonyms: readonly string[]): Promise<PeopleRows[]>
  /**
   * Takes away every state but the newest, and all bytes that only these needed, after something was committed. Where tables are
   * files.
   */
  forgetPast?(): Promise<ForgottenPast>
  /** For how many days the engine keeps older states whatever is done; undefined where `forgetPast` ends them. */
  daysOfPast?(): Promise<number>
  /** Where tables are files. */
  searchFiles?(pseudonyms: readonly string[]): Promise<SearchedFiles>
  /** The last cursor that a load of a source brought. With a `format` only of loads by that mapping. */
  lastCursor(source: string, format?: string): Promise<string | undefined>
  /**
   * After many small commits: thins the states that are kept, and merges small files; answers of how many tables. What is
   * read stays the same.
   */
  compact(): Promise<number>
  /** What `upkeep` would do. Reads only. Where tables are files. */
  planUpkeep?(policy: UpkeepPolicy): Promise<Upkeep>
  /** Does all that `compact` does and leaves for later, and writes the catalog anew where much of it is free. */
  upkeep?(policy: UpkeepPolicy): Promise<Upkept>
}

// ── charts ────────────────────────────────────────────────────────────────────────────────────────────────

/** Meaning, not colour: a theme turns a tone into one. */
export type Tone = 'plain' | 'muted' | 'strong' | 'accent' | 'good' | 'bad' | 'warn'

export interface Span {
  readonly text: string
  readonly tone: Tone
  readonly click?: Click
}

/** What a click on a text does: the same as a key, or something with a row or a column of a table, or a choice of a list. */
export type Click =
  | { readonly kind: 'key'; readonly key: string }
  | { readonly kind: 'row' | 'column' | 'choice'; readonly index: number }

/** What a chart draws: lines of spans, each line at most `size.width` cells wide. */
export type Frame = readonly (readonly Span[])[]

export interface Size {
  readonly width: number
  readonly height: number
}

/** How much of Unicode the terminal shows. */
export type Glyphs = 'braille' | 'block' | 'ascii'

/** From a report's header: `-- chart: line x=day y=enrollments`. */
export interface ChartSpec {
  readonly kind: string
  readonly title: string
  readonly x: string
  readonly y: readonly string[]
  readonly glyphs: Glyphs
}

/** Pure: the same result, spec and size give the same frame. */
export interface Chart {
  readonly kind: string
  draw(result: Result, spec: ChartSpec, size: Size): Frame
}
