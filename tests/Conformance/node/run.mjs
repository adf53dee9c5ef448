#!/usr/bin/env node
// Runs a list of .tflite files in LiteRT's WebAssembly build, all in one process.
//
//   node run.mjs JOBS.json
//
// JOBS.json: [{ "model": FILE, "inputs": [[FILE, ...], ...], "outputs": PREFIX, "time": N }]
// One entry of "inputs" is one invocation: a file of raw little-endian bytes for each input in the order of the first
// signature. Output k of invocation r goes to PREFIX + r + "_" + k + ".bin". With "time", N more invocations with the
// last inputs are timed. Prints one JSON line for each job: { "model", "error"?, "names", "milliseconds"? }. A trap of the
// runtime leaves it in no state to go on: the process ends behind the line of that job, with exit code 3.
import fs from 'node:fs';
import path from 'node:path';
import vm from 'node:vm';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const print = console.log;
const messages = [];
for (const level of ['log', 'info', 'debug', 'warn', 'error']) {
  console[level] = (...parts) => messages.push(parts.join(' '));
}

// The package loads its glue as a browser worker would; under Node that glue is an ordinary script.
globalThis.self = globalThis;
globalThis.importScripts = (file) => {
  const source = `(function (require, __dirname, __filename) { ${fs.readFileSync(file, 'utf8')}
    ; self.ModuleFactory = ModuleFactory; })`;
  vm.runInThisContext(source, { filename: file })(require, path.dirname(file), file);
};

const { loadLiteRt } = await import('@litertjs/core');
const folder = path.join(path.dirname(require.resolve('@litertjs/core/package.json')), 'wasm');
const runtime = await loadLiteRt(path.join(folder, 'litert_wasm_compat_internal.js'));
const wasm = runtime.liteRtWasm;
const environment = runtime.getDefaultEnvironment();
const native = environment.liteRtEnvironment;

const list = (vector) => Array.from({ length: vector.size() }, (_, i) => vector.get(i));

function check() {
  // The wasm returns uninitialised outputs when a graph could not be prepared, and only logs it.
  const failure = messages.find((line) => line.startsWith('ERROR'));
  if (failure) {
    throw new Error(failure);
  }
}

async function compile(file) {
  const bytes = fs.readFileSync(file);
  const pointer = wasm._malloc(bytes.length);
  wasm.HEAPU8.set(bytes, pointer);
  const model = wasm.loadModel(native, pointer, bytes.length);
  const compiled = await wasm.compileModel(native, model, {
    environment, accelerator: 'wasm', cpuOptions: { numThreads: 1 }, gpuOptions: {}, webNNOptions: {},
  });
  check();
  return { model, compiled, pointer };
}

// The type of an input whose unknown dimensions (-1) count as 1; buffers are made of complete types only.
function inputType(model, index) {
  const type = model.getInputTensorType(0, index);
  const dimensions = list(type.layout().dimensions());
  if (dimensions.every((d) => d >= 0)) {
    return type;
  }

  const known = new wasm.VectorInt32();
  dimensions.forEach((d) => known.push_back(Math.abs(d)));
  return wasm.LiteRtRankedTensorType.create(type.elementType(), wasm.LiteRtLayout.create(known));
}

function fill(model, index, bytes) {
  const buffer = wasm.LiteRtTensorBuffer.createManaged(
    native, wasm.LiteRtTensorBufferType.HOST_MEMORY, inputType(model, index), bytes.length);
  wasm.HEAPU8.set(bytes, buffer.lock(wasm.LiteRtTensorBufferLockMode.WRITE));
  buffer.unlock();
  return buffer;
}

function read(buffer) {
  const start = buffer.lock(wasm.LiteRtTensorBufferLockMode.READ);
  const bytes = Buffer.from(wasm.HEAPU8.slice(start, start + buffer.packedSize()));
  buffer.unlock();
  return bytes;
}

async function invoke(compiled, buffers) {
  const outputs = await compiled.run(0, buffers);
  check();
  return Array.isArray(outputs) ? outputs : list(outputs);
}

async function run(job) {
  messages.length = 0;
  const { model, compiled, pointer } = await compile(job.model);
  const signature = model.getSignature(0);
  const result = { model: job.model, names: list(signature.inputNames()), outputs: list(signature.outputNames()) };
  let buffers = [];
  for (const [invocation, files] of job.inputs.entries()) {
    buffers.forEach((b) => b.delete());
    buffers = files.map((file, i) => fill(model, i, fs.readFileSync(file)));
    const outputs = await invoke(compiled, buffers);
    outputs.forEach((buffer, k) => {
      fs.writeFileSync(`${job.outputs}${invocation}_${k}.bin`, read(buffer));
      buffer.delete();
    });
  }

  if (job.time) {
    const times = [];
    for (let i = 0; i < job.time; i++) {
      const start = performance.now();
      const outputs = await invoke(compiled, buffers);
      times.push(performance.now() - start);
      outputs.forEach((b) => b.delete());
    }

    result.milliseconds = times;
  }

  buffers.forEach((b) => b.delete());
  compiled.delete?.();
  model.delete?.();
  wasm._free(pointer);
  return result;
}

for (const job of JSON.parse(fs.readFileSync(process.argv[2], 'utf8'))) {
  try {
    print(JSON.stringify(await run(job)));
  } catch (problem) {
    print(JSON.stringify({ model: job.model, error: String(problem?.message ?? problem), log: messages.slice(-5) }));
    if (problem instanceof WebAssembly.RuntimeError) {
      process.exit(3);
    }
  }
}

process.exit(0);
