using Optc.Ops.Kernels;

namespace Optc.Ops;

/// <summary>Folds the taps of one output pixel over all channels at once.</summary>
internal interface IPoolStep<T, TState>
    where T : unmanaged
    where TState : unmanaged
{
    /// <summary>Takes one tap: <paramref name="values"/> and <paramref name="state"/> have one entry for each channel.</summary>
    void Take(ReadOnlySpan<T> values, Span<TState> state);

    /// <summary>Turns the state of <paramref name="taps"/> taps into the output.</summary>
    void Finish(ReadOnlySpan<TState> state, int taps, Span<T> output);

    TState Start { get; }
}

/// <summary>Visits the windows of a pool.</summary>
internal sealed record PoolWalk(int Batch, Window Height, Window Width, int Channels)
{
    /// <param name="state">One entry for each channel; content does not matter.</param>
    public void Run<T, TState, TStep>(ReadOnlySpan<T> x, Span<T> y, Span<TState> state, TStep step)
        where T : unmanaged
        where TState : unmanaged
        where TStep : struct, IPoolStep<T, TState>
    {
        state = state[..Channels];
        int at = 0;
        for (int n = 0; n < Batch; n++)
        {
            for (int oh = 0; oh < Height.Output; oh++)
            {
                (int firstRow, int endRow) = Height.Taps(oh);
                for (int ow = 0; ow < Width.Output; ow++)
                {
                    (int firstColumn, int endColumn) = Width.Taps(ow);
                    state.Fill(step.Start);
                    for (int kh = firstRow; kh < endRow; kh++)
                    {
                        int row = (n * Height.Input) + Height.Start(oh) + kh;
                        for (int kw = firstColumn; kw < endColumn; kw++)
                        {
                            int pixel = (row * Width.Input) + Width.Start(ow) + kw;
                            step.Take(x.Slice(pixel * Channels, Channels), state);
                        }
                    }

                    int taps = (endRow - firstRow) * (endColumn - firstColumn);
                    step.Finish(state, taps, y.Slice(at, Channels));
                    at += Channels;
                }
            }
        }
    }
}
