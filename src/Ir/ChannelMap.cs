namespace Optc.Ir;

/// <summary>Index along an axis of each element of a tensor.</summary>
public readonly struct ChannelMap
{
    private readonly int _inner;

    public ChannelMap(Shape shape, int axis)
    {
        Channels = shape.Rank == 0 ? 1 : shape[axis];
        _inner = checked((int)Math.Max(1, InnerOf(shape, axis)));
    }

    /// <summary>Elements behind one index of an axis.</summary>
    internal static long InnerOf(Shape shape, int axis)
    {
        long inner = 1;
        for (int i = axis + 1; i < shape.Rank; i++)
        {
            inner *= shape[i];
        }

        return inner;
    }

    public int Channels { get; }

    public int ChannelOf(int element) => element / _inner % Channels;
}
