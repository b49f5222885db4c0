/**
 * Makes src/engines/spark/protocol of the .proto files in Spark's own jar: the messages of Spark Connect, without those of
 * catalogs, machine learning and pipelines.
 *
 * usage: node scripts/spark-protocol.ts
 * Needs unzip, and fetches buf and its plugin by npx.
 */

import { execFileSync } from 'node:child_process'
import { cpSync, globSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SPARK_VERSION } from '../src/engines/spark/home.ts'
import { ROOT } from './oclif-config.ts'
import { sparkJars } from './spark-jars.ts'

const PROTOCOL = join(ROOT, 'src', 'engines', 'spark', 'protocol')
const TOOLS = ['@bufbuild/buf@1.75.0', '@bufbuild/protoc-gen-es@2.17.0']
const TEMPLATE = {
  version: 'v2',
  inputs: [
    {
      directory: '.',
      types: ['spark.connect.SparkConnectService'],
      exclude_types: [
        'Catalog',
        'MlCommand',
        'MlCommandResult',
        'MlRelation',
        'PipelineCommand',
        'PipelineCommandResult',
        'PipelineEventResult',
        'PipelineQueryFunctionExecutionSignal',
      ].map((name) => `spark.connect.${name}`),
    },
  ],
  plugins: [{ local: 'protoc-gen-es', out: 'made', opt: ['target=js+dts', 'import_extension=js'] }],
}

const folder = mkdtempSync(join(tmpdir(), 'lpa-spark-protocol-'))
try {
  const jar = join(await sparkJars(), 'jars', `spark-connect_2.13-${SPARK_VERSION}.jar`)
  execFileSync('unzip', ['-q', jar, 'spark/connect/*.proto', '-x', '*/example_plugins.proto', '-d', folder])
  const packages = TOOLS.map((tool) => `--package=${tool}`)
  const generate = ['buf', 'generate', '--template', JSON.stringify(TEMPLATE)]
  execFileSync('npx', ['--yes', ...packages, ...generate], { cwd: folder, stdio: 'inherit' })
  for (const old of globSync('*_pb.*', { cwd: PROTOCOL })) rmSync(join(PROTOCOL, old))
  cpSync(join(folder, 'made', 'spark', 'connect'), PROTOCOL, { recursive: true })
} finally {
  rmSync(folder, { recursive: true })
}
