using BenchmarkDotNet.Running;
using Optc.Tests.Benchmarks;

// "speed [FILTER]": stopwatch tables in seconds; anything else goes to BenchmarkDotNet.
if (args is ["speed", ..])
{
    SpeedTable.Print(args.Length > 1 ? args[1] : "");
    return;
}

BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
