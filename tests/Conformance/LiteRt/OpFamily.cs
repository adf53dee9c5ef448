using Optc.Ir;

namespace Optc.Tests.Conformance.LiteRt;

/// <summary>Random models of one op and what is demanded of them beside LiteRT.</summary>
/// <param name="Op">Name of the builtin operator.</param>
/// <param name="Type">Element type of the activations.</param>
/// <param name="Tolerance">Integers: steps. Floats: relative to the largest value of the output.</param>
internal sealed record OpFamily(string Op, DType Type, double Tolerance, Func<OpSampler, OpModel> Make)
{
    private const int Models = 24;

    public string Name => $"{Op} {Kind}";

    /// <summary>Element type, or that float activations meet 8-bit weights.</summary>
    public string Kind => IsHybrid ? "hybrid" : Type.Name;

    public bool IsHybrid { get; init; }

    /// <summary>Seeds of the models; the same in every run.</summary>
    public IEnumerable<int> Seeds => Enumerable.Range(0, Models).Select(i => (Name.Sum(c => c) * 1000) + i);

    public override string ToString() => Name;
}
