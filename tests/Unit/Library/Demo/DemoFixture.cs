using Optc.Demo;

namespace Optc.Tests.Unit.Library;

/// <summary>A demo of about half the size, made once for all its tests.</summary>
public sealed class DemoFixture
{
    public static DemoSize Size { get; } = new(600, 250, 64, 12, 2, 6);

    public DemoRun Run => field ??= DemoRun.Of(Size, "optc demo", new() { Threads = 2 });
}
