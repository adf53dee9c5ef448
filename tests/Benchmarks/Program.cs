using BenchmarkDotNet.Running;
using Optc.Tests.Benchmarks;

// "speed [FILTER]": stopwatch tables in seconds. "models RUNNER FILE...": whole models beside LiteRT, whose runner is
// tests/Conformance/node after 'npm ci'. "quantization SHARED": what quantization costs in accuracy. Anything else goes to BenchmarkDotNet.
if (args is ["speed", ..])
{
    SpeedTable.Print(args.Length > 1 ? args[1] : "");
    return;
}

if (args is ["models", string runner, .. string[] models])
{
    ModelSpeed.Print(models, runner);
    return;
}

if (args is ["quantization", string shared])
{
    QuantizationStudy.Print(shared);
    return;
}

BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
