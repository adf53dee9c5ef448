namespace Optc.Ops;

/// <summary>An op that runs graphs of the module.</summary>
public interface ICallsGraphs
{
    /// <summary>Names of the graphs that it may run.</summary>
    IEnumerable<string> Callees { get; }
}
