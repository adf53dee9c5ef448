using System.Collections.Immutable;
using Optc.Ir;

namespace Optc.Ops.Gradients;

/// <summary>An op over a sequence that can be written out as ops on its steps, which have gradients.</summary>
public interface IUnrollable
{
    /// <summary>Adds the ops that compute the result from a state of zeros, each sequence for itself.</summary>
    /// <param name="graph">Receives the nodes.</param>
    /// <param name="operands">Operands of the op, f32, shapes known; state that is kept between invocations is not read.</param>
    /// <param name="name">Name of the result; other nodes are named after it.</param>
    /// <returns>The result of the op.</returns>
    /// <exception cref="OpRuleException">Types or attributes have no such form.</exception>
    Value Unroll(GraphBuilder graph, ImmutableArray<Value?> operands, string name);
}
