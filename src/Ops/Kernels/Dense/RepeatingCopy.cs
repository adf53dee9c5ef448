namespace Optc.Ops.Kernels;

/// <summary>Writes each element <paramref name="times"/> times: the channels of a depthwise multiplier.</summary>
internal readonly unsafe struct RepeatingCopy<T>(int times) : IStagingCopy<T, T>
    where T : unmanaged
{
    public void Copy(T* from, T* to, int count)
    {
        for (int i = 0; i < count; i += times)
        {
            new Span<T>(to + i, times).Fill(*from++);
        }
    }
}
