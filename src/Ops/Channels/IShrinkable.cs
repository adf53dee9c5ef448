using System.Collections.Immutable;
using Optc.Ir;

namespace Optc.Ops.Channels;

/// <summary>An op that knows which channels of its operands and results hang together, so that some of them can be taken out of the graph.</summary>
public interface IShrinkable
{
    /// <summary>Says for one node what becomes of the channels of its operands. A result of which nothing is said keeps all its channels.</summary>
    void TraceChannels(ChannelTracer t);

    /// <summary>The op with attributes that fit the shapes of its operands and results after channels have been removed.</summary>
    /// <param name="inputs">Without rank for an operand that is left out.</param>
    IOp Shrunk(ImmutableArray<Shape> inputs, ImmutableArray<Shape> outputs) => (IOp)this;
}
