using Optc.Demo;
using Optc.Ir;

namespace Optc.Tests.Unit.Library;

/// <summary>Data and model of the demo, made once for all its tests.</summary>
public sealed class DemoFixture
{
    public DemoTask Task { get; } = DemoTask.Create(threads: 2);

    public Module Model => field ??= DemoModel.Build(Task.Train, threads: 2);
}
