using Optc.Ir;

namespace Optc.Ops.Kernels;

/// <summary>Order in which a recurrent op visits a sequence: one batch after the other, each from its first step to its last.</summary>
/// <param name="Batch">Independent sequences, each with a state of its own.</param>
/// <param name="Time">Steps.</param>
/// <param name="TimeMajor">True for <c>[T, B, n]</c>, false for <c>[B, T, n]</c>.</param>
internal readonly record struct SequenceLayout(int Batch, int Time, bool TimeMajor)
{
    /// <summary>Steps of all batches.</summary>
    public int Count => Batch * Time;

    /// <summary>Visit <paramref name="index"/>: the batch, and the position of its step among the rows of x and y.</summary>
    public (int Batch, int Position) this[int index]
    {
        get
        {
            int batch = index / Time;
            int time = index % Time;
            return (batch, TimeMajor ? (time * Batch) + batch : index);
        }
    }

    public static SequenceLayout Of(Shape x, bool timeMajor) =>
        timeMajor ? new(x[1], x[0], true) : new(x[0], x[1], false);
}
