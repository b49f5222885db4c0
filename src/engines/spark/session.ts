/** A session of Spark Connect: statements over gRPC, results as Arrow. */

import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { getCACertificates } from 'node:tls'
import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { type Client, createClient, type Interceptor } from '@connectrpc/connect'
import { createGrpcTransport, Http2SessionManager } from '@connectrpc/connect-node'
import { binary, tableFromArrays, tableFromIPC, tableToIPC } from '@uwdata/flechette'
import { UserError } from '../../errors.ts'
import { rememberSecret } from '../../secrets.ts'
import type { Column, Result, Row, Values } from '../../types.ts'
import { refuseClear, type SparkAddress, urlOf } from './address.ts'
import { errorIdOf, explained, isLost, isUnknown } from './failures.ts'
import {
  ExecutePlanRequestSchema,
  type ExecutePlanResponse,
  InterruptRequest_InterruptType,
  SparkConnectService,
} from './protocol/base_pb.js'
import { type CommandSchema, WriteOperation_SaveMode } from './protocol/commands_pb.js'
import type { Read_DataSourceSchema, RelationSchema } from './protocol/relations_pb.js'
import { type Ask, StreamingQuery, type StreamRequest } from './streaming.ts'
import { columnsOf, EXACT, literalsOf, rowsOf, withParameters } from './values.ts'

type Relation = MessageInitShape<typeof RelationSchema>
type Command = MessageInitShape<typeof CommandSchema>

export interface SessionOptions {
  readonly address: SparkAddress
  readonly token?: string | undefined
  /** Who signed its certificate, besides those that everybody trusts. */
  readonly ca?: string | undefined
  readonly signal: AbortSignal
  /** Statements read clear text, which errors of Spark may quote. */
  readonly readsClear?: boolean
}

/** Parquet files or folders of such, to be read as they lie. */
export interface FileSource {
  readonly paths: readonly string[]
  /** The columns that they are known to have, `a bigint, b string`; else the first of them tells. */
  readonly schema?: string
}

/** QUALIFY came with it. */
const LEAST_VERSION = [4, 2] as const
const CONNECT_MS = 20_000
/** A server that has many sessions may take a while to close one; nobody waits for that. */
const CLOSE_MS = 5_000
/** Who was told to stop does not wait long, whether the server hears of it or not. */
const STOP_MS = 1_000
const MOST_TRIES = 8
const HEAD_LINES = 200

/** What a session has of its own: the meaning of a statement depends on nothing that the server was started with. */
const SETTINGS: Readonly<Record<string, string>> = {
  'spark.sql.session.timeZone': 'UTC',
  'spark.sql.ansi.enabled': 'true',
  'spark.sql.ansi.doubleQuotedIdentifiers': 'true',
  // Two quotes are a quote in a text; so is a backslash before one, where it is an escape.
  'spark.sql.parser.escapedStringLiterals': 'false',
  'spark.sql.legacy.consecutiveStringLiterals.enabled': 'false',
  'spark.sql.timestampType': 'TIMESTAMP_NTZ',
  'spark.sql.parquet.outputTimestampType': 'TIMESTAMP_MICROS',
  'spark.sql.parquet.compression.codec': 'zstd',
  // DuckDB writes doubles as BYTE_STREAM_SPLIT, which only the other reader knows.
  'spark.sql.parquet.enableVectorizedReader': 'false',
  // Rows of a file that is gone or broken would be left out without a word.
  'spark.sql.files.ignoreMissingFiles': 'false',
  'spark.sql.files.ignoreCorruptFiles': 'false',
  // Days and instants of long ago are as they are written.
  'spark.sql.parquet.datetimeRebaseModeInRead': 'CORRECTED',
  'spark.sql.parquet.datetimeRebaseModeInWrite': 'CORRECTED',
  'spark.sql.parquet.inferTimestampNTZ.enabled': 'true',
}

export class SparkSession implements AsyncDisposable {
  readonly #address: SparkAddress
  readonly #signal: AbortSignal
  readonly #readsClear: boolean
  readonly #http: Http2SessionManager
  readonly #client: Client<typeof SparkConnectService>
  #base: {
    readonly sessionId: string
    readonly userContext: { readonly userId: string; readonly userName: string }
    readonly clientType: string
    readonly clientObservedServerSideSessionId?: string
  }
  #plans = 0n

  private constructor({ address, token, ca, signal, readsClear = false }: SessionOptions) {
    this.#address = address
    this.#signal = signal
    this.#readsClear = readsClear
    const { user } = address
    this.#base = {
      sessionId: randomUUID(),
      userContext: { userId: user, userName: user },
      clientType: 'lpa',
    }
    const baseUrl = urlOf(address)
    const trusted = ca === undefined ? {} : { ca: [...getCACertificates('default'), ca] }
    this.#http = new Http2SessionManager(baseUrl, { pingIntervalMs: 30_000 }, trusted)
    const authorise: Interceptor = (next) => (request) => {
      if (token) request.header.set('authorization', `Bearer ${token}`)
      return next(request)
    }
    const transport = createGrpcTransport({ baseUrl, interceptors: [authorise], sessionManager: this.#http })
    this.#client = createClient(SparkConnectService, transport)
  }

  /**
   * Statements are stopped when the signal is aborted.
   * @throws UserError unavailable (69) when nothing answers, or a Spark that is too old; notPermitted (77) when the token is
   *   refused, or would leave this machine in the clear
   */
  static async open(
    options: SessionOptions,
    settings: Readonly<Record<string, string>> = {},
  ): Promise<SparkSession> {
    const { address, token, signal } = options
    signal.throwIfAborted()
    if (token) {
      refuseClear(address, 'The token')
      rememberSecret(token)
    }
    const session = new SparkSession(options)
    try {
      await session.#begin(settings)
      return session
    } catch (error) {
      session.#http.abort()
      throw signal.aborted ? signal.reason : explained(error, address)
    }
  }

  async #begin(settings: Readonly<Record<string, string>>): Promise<void> {
    const answer = await this.#client.analyzePlan(
      { ...this.#base, analyze: { case: 'sparkVersion', value: {} } },
      { signal: this.#signal, timeoutMs: CONNECT_MS },
    )
    // A server that was started anew would open another session of this name, without its settings.
    this.#base = { ...this.#base, clientObservedServerSideSessionId: answer.serverSideSessionId }
    try {
      await this.#configure(
        answer.result.case === 'sparkVersion' ? answer.result.value.version : '',
        settings,
      )
    } catch (error) {
      // It is there by now, and would be for an hour.
      await this.#release()
      throw error
    }
  }

  async #configure(version: string, settings: Readonly<Record<string, string>>): Promise<void> {
    if (!isNewEnough(version)) {
      throw new UserError('LPA-SPARK-VERSION', `Spark ${version} is too old.`, {
        exit: 'unavailable',
        where: urlOf(this.#address).replace(/^https?/, 'sc'),
        next: `Use Spark ${LEAST_VERSION.join('.')} or newer.`,
      })
    }
    const pairs = Object.entries({ ...SETTINGS, ...settings }).map(([key, value]) => ({ key, value }))
    await this.#client.config(
      { ...this.#base, operation: { opType: { case: 'set', value: { pairs } } } },
      { signal: this.#signal, timeoutMs: CONNECT_MS },
    )
  }

  /** A small result, whole. */
  async query(statement: string, values: Values = {}): Promise<Result> {
    let columns: readonly Column[] = []
    const rows: Row[] = []
    for await (const { responseType } of this.#run({ root: this.#sql(statement, values) })) {
      if (responseType.case !== 'arrowBatch') continue
      // A copy: in a message the bytes begin anywhere, numbers of Arrow only at a multiple of their size.
      const table = tableFromIPC(responseType.value.data.slice(), EXACT)
      columns = columnsOf(table)
      for (const row of rowsOf(table)) rows.push(row)
    }
    return { columns, rows }
  }

  /** Gives a SELECT a name for this session. */
  async view(name: string, select: string): Promise<void> {
    await this.#view(name, this.#sql(select))
  }

  /** Gives Parquet files a name for this session. */
  async viewOfFiles(name: string, { paths, schema }: FileSource): Promise<void> {
    await this.#viewOfData(name, {
      format: 'parquet',
      paths: [...paths],
      ...(schema !== undefined && { schema }),
    })
  }

  /** Gives the lines of a text a name for this session; a line is `value`, and ends in a line feed. */
  async viewOfLines(name: string, path: string): Promise<void> {
    await this.#viewOfData(name, { format: 'text', paths: [path], options: { lineSep: '\n' } })
  }

  /** Gives one row of bytes a name for this session. They are data, and stand in no statement. */
  async viewOfBytes(name: string, columns: Readonly<Record<string, Uint8Array>>): Promise<void> {
    const names = Object.keys(columns)
    const table = tableFromArrays(Object.fromEntries(names.map((column) => [column, [columns[column]]])), {
      types: Object.fromEntries(names.map((column) => [column, binary()])),
    })
    const data = tableToIPC(table, { format: 'stream' }) ?? new Uint8Array()
    await this.#view(name, { common: this.#common(), relType: { case: 'localRelation', value: { data } } })
  }

  /** Writes a SELECT's rows to Parquet files in a folder that is not there yet; answers how many they are by Spark's own count. */
  async write(select: string, folder: string): Promise<number> {
    const answers = await this.#command({
      commandType: {
        case: 'writeOperation',
        value: {
          input: this.#counted(select),
          source: 'parquet',
          saveType: { case: 'path', value: sharedPath(folder) },
          mode: WriteOperation_SaveMode.ERROR_IF_EXISTS,
        },
      },
    })
    const counts = answers.flatMap(({ observedMetrics }) => observedMetrics).flatMap(({ values }) => values)
    // Of nothing there is nothing to count.
    return counts.reduce(
      (sum, { literalType }) => sum + (literalType.case === 'long' ? Number(literalType.value) : 0),
      0,
    )
  }

  #counted(select: string): Relation {
    const one = {
      exprType: { case: 'literal', value: { literalType: { case: 'long', value: 1n } } },
    } as const
    const count = { functionName: 'count', arguments: [one] }
    const value = {
      input: this.#sql(select),
      name: 'written',
      metrics: [{ exprType: { case: 'unresolvedFunction', value: count } } as const],
    }
    return { common: this.#common(), relType: { case: 'collectMetrics', value } }
  }

  /** Some records of a source, a line each: clear text, for memory only. */
  async head({ name, format, options, paths = [] }: StreamRequest['source'], value: string): Promise<string> {
    await this.#viewOfData(name, { format, options: { ...options }, paths: [...paths] })
    const { rows } = await this.query(`select ${value} from ${name} limit ${HEAD_LINES}`)
    return rows.map(([line]) => `${line}\n`).join('')
  }

  /**
   * Starts to write what keeps coming to Parquet files in a folder. Doubles are dropped while their key is remembered, which
   * is for a time after their arrival: so no row is ever too late for it.
   */
  async startStream(request: StreamRequest): Promise<StreamingQuery> {
    const { source, everyMs, folder, checkpoint, partitionBy } = request
    const { name, format, options, paths = [] } = source
    await this.#viewOfData(name, { format, options: { ...options }, paths: [...paths] }, true)
    const answers = await this.#command({
      commandType: {
        case: 'writeStreamOperationStart',
        value: {
          input: this.#single(request),
          format: 'parquet',
          options: { checkpointLocation: sharedPath(checkpoint) },
          partitioningColumnNames: [partitionBy],
          outputMode: 'append',
          queryName: name,
          trigger:
            everyMs === undefined
              ? { case: 'availableNow', value: true }
              : { case: 'processingTimeInterval', value: `${everyMs} milliseconds` },
          sinkDestination: { case: 'path', value: sharedPath(folder) },
        },
      },
    })
    for (const { responseType } of answers)
      if (responseType.case === 'writeStreamOperationStartResult' && responseType.value.queryId)
        return new StreamingQuery(responseType.value.queryId, (command) => this.#askStream(command))
    throw new Error('Spark has not said which query it started.')
  }

  /** A SELECT's rows, each key once while it is remembered. */
  #single({ select, arrival, key, remember }: StreamRequest): Relation {
    const value = { input: this.#sql(select), eventTime: arrival, delayThreshold: remember }
    const input: Relation = { common: this.#common(), relType: { case: 'withWatermark', value } }
    return {
      common: this.#common(),
      relType: { case: 'deduplicate', value: { input, columnNames: [key], withinWatermark: true } },
    }
  }

  async #askStream(command: Parameters<Ask>[0]) {
    const told = await this.#command({ commandType: { case: 'streamingQueryCommand', value: command } })
    return told.flatMap(({ responseType }) =>
      responseType.case === 'streamingQueryCommandResult' ? [responseType.value.resultType] : [],
    )[0]
  }

  /** Ends the session, and with it its views. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#release()
    this.#http.abort()
  }

  async #release(): Promise<void> {
    await this.#client.releaseSession(this.#base, { timeoutMs: this.#closeMs }).catch(() => {})
  }

  get #closeMs(): number {
    return this.#signal.aborted ? STOP_MS : CLOSE_MS
  }

  async #viewOfData(
    name: string,
    value: MessageInitShape<typeof Read_DataSourceSchema>,
    isStreaming = false,
  ): Promise<void> {
    const source = { ...value, paths: value.paths?.map(plainPath) ?? [] }
    await this.#view(name, {
      common: this.#common(),
      relType: { case: 'read', value: { isStreaming, readType: { case: 'dataSource', value: source } } },
    })
  }

  async #view(name: string, input: Relation): Promise<void> {
    await this.#command({
      commandType: { case: 'createDataframeView', value: { input, name, isGlobal: false, replace: true } },
    })
  }

  async #command(command: Command): Promise<readonly ExecutePlanResponse[]> {
    const answers: ExecutePlanResponse[] = []
    for await (const answer of this.#run({ command })) answers.push(answer)
    return answers
  }

  #sql(statement: string, values: Values = {}): Relation {
    return {
      common: this.#common(),
      relType: {
        case: 'sql',
        value: { query: withParameters(statement, values), namedArguments: literalsOf(values) },
      },
    }
  }

  #common() {
    this.#plans += 1n
    return { planId: this.#plans }
  }

  async *#run(plan: { root: Relation } | { command: Command }): AsyncGenerator<ExecutePlanResponse> {
    this.#signal.throwIfAborted()
    try {
      yield* this.#attached(plan)
    } catch (error) {
      if (this.#signal.aborted) throw this.#signal.reason
      const causes = await this.#causesOf(error)
      throw explained(error, this.#address, { causes, mayQuote: this.#readsClear })
    }
  }

  async #causesOf(error: unknown): Promise<readonly string[]> {
    const errorId = errorIdOf(error)
    if (errorId === undefined) return []
    const told = await this.#client
      .fetchErrorDetails({ ...this.#base, errorId }, { timeoutMs: CLOSE_MS })
      .catch(() => undefined)
    return told?.errors.map(({ message }) => message) ?? []
  }

  /**
   * The answers of one execution. The server keeps them until they are released: a stream that it ends (it does so every two
   * minutes) or that breaks is taken up again after the last answer that came.
   */
  async *#attached(plan: { root: Relation } | { command: Command }): AsyncGenerator<ExecutePlanResponse> {
    const operationId = randomUUID()
    const operation = { ...this.#base, operationId }
    const opType =
      'root' in plan
        ? ({ case: 'root', value: plan.root } as const)
        : ({ case: 'command', value: plan.command } as const)
    const request = create(ExecutePlanRequestSchema, {
      ...operation,
      plan: { opType },
      requestOptions: [{ requestOption: { case: 'reattachOptions', value: { reattachable: true } } }],
    })
    const within = { signal: this.#signal }
    let stream = this.#client.executePlan(request, within)
    let lastResponseId: string | undefined
    let tries = 0
    try {
      for (;;) {
        let isUnheard = false
        try {
          for await (const answer of stream) {
            lastResponseId = answer.responseId
            tries = 0
            if (answer.responseType.case === 'resultComplete') return
            yield answer
          }
        } catch (error) {
          tries += 1
          // The first request may be what was lost.
          isUnheard = lastResponseId === undefined && isUnknown(error)
          const mayGoOn = isLost(error) || isUnheard
          if (this.#signal.aborted || !mayGoOn || tries > MOST_TRIES) throw error
          await sleep(50 * 2 ** tries, undefined, within)
        }
        const after = { ...operation, ...(lastResponseId && { lastResponseId }) }
        stream = isUnheard
          ? this.#client.executePlan(request, within)
          : this.#client.reattachExecute(after, within)
      }
    } finally {
      await Promise.all([
        this.#signal.aborted && this.#interrupt(operationId),
        this.#client
          .releaseExecute(
            { ...operation, release: { case: 'releaseAll', value: {} } },
            { timeoutMs: this.#closeMs },
          )
          .catch(() => {}),
      ])
    }
  }

  /** Without it the executors would go on computing what nobody waits for. */
  async #interrupt(operationId: string): Promise<void> {
    await this.#client
      .interrupt(
        {
          ...this.#base,
          interruptType: InterruptRequest_InterruptType.OPERATION_ID,
          interrupt: { case: 'operationId', value: operationId },
        },
        { timeoutMs: this.#closeMs },
      )
      .catch(() => {})
  }
}

/** A path of this machine: without a scheme, a cluster that has HDFS would look there. */
function sharedPath(path: string): string {
  return `file:${path}`
}

/** Where Spark reads, a path is a pattern. */
function plainPath(path: string): string {
  return sharedPath(path.replace(/[\\*?[\]{}]/g, '\\$&'))
}

function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > LEAST_VERSION[0] || (major === LEAST_VERSION[0] && minor >= LEAST_VERSION[1])
}
