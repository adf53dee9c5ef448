using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Optc.Ops.Kernels.Movement;

/// <summary>
/// Copies a box of elements between two buffers that are addressed by one stride per dimension: slices, permutations,
/// reversals and repetitions are all this.
/// </summary>
/// <remarks>
/// Dimensions of one element are dropped, the others ordered so that the target is written forwards, neighbours that are
/// one dimension in both buffers merged, and what is contiguous in both is copied as a run. A source that is contiguous
/// along another dimension than the target (a matrix transposition) is walked in tiles that stay in the first cache.
/// </remarks>
public sealed class StridedCopy
{
    private const int Tile = 16;

    private readonly int[] _sizes;
    private readonly nint[] _source;
    private readonly nint[] _target;
    private readonly long _sourceStart;
    private readonly long _targetStart;
    private readonly long _sourceLow;
    private readonly long _sourceHigh;
    private readonly long _targetLow;
    private readonly long _targetHigh;
    private readonly int _run;
    private readonly bool _tiled;
    private readonly bool _empty;

    /// <summary>Plans the copy.</summary>
    /// <param name="elementSize">Bytes of one element, 1 to 16.</param>
    /// <param name="sizes">Elements along each dimension of the box.</param>
    /// <param name="source">Distance between neighbours in the source, in elements; 0 repeats, negative walks backwards.</param>
    /// <param name="target">Distance between neighbours in the target, in elements; no element is written twice.</param>
    /// <param name="sourceStart">Element of the source where the box starts.</param>
    /// <param name="targetStart">Element of the target where the box starts.</param>
    public StridedCopy(
        int elementSize,
        ReadOnlySpan<int> sizes,
        ReadOnlySpan<long> source,
        ReadOnlySpan<long> target,
        long sourceStart = 0,
        long targetStart = 0)
    {
        List<(int Size, long Source, long Target)> axes = [];
        for (int i = 0; i < sizes.Length; i++)
        {
            _empty |= sizes[i] == 0;
            if (sizes[i] > 1)
            {
                axes.Add((sizes[i], source[i] * elementSize, target[i] * elementSize));
            }
        }

        if (_empty)
        {
            axes.Clear();
        }

        _sourceStart = sourceStart * elementSize;
        _targetStart = targetStart * elementSize;
        foreach ((int size, long from, long to) in axes)
        {
            _sourceLow += Math.Min(0, from * (size - 1));
            _sourceHigh += Math.Max(0, from * (size - 1));
            _targetLow += Math.Min(0, to * (size - 1));
            _targetHigh += Math.Max(0, to * (size - 1));
        }

        axes = Merge([.. axes.OrderByDescending(a => Math.Abs(a.Target))]);
        _run = elementSize;
        if (axes.Count > 0 && axes[^1].Source == elementSize && axes[^1].Target == elementSize)
        {
            _run = checked(axes[^1].Size * elementSize);
            axes.RemoveAt(axes.Count - 1);
        }

        _sourceHigh += elementSize;
        _targetHigh += elementSize;
        if (_run == elementSize && axes.Count > 1 && axes[^1].Target == elementSize)
        {
            int across = axes.FindIndex(a => a.Source == elementSize);
            if (across >= 0 && across < axes.Count - 1)
            {
                (int, long, long) axis = axes[across];
                axes.RemoveAt(across);
                axes.Insert(axes.Count - 1, axis);
                _tiled = true;
            }
        }

        _sizes = [.. axes.Select(a => a.Size)];
        _source = [.. axes.Select(a => (nint)a.Source)];
        _target = [.. axes.Select(a => (nint)a.Target)];
    }

    /// <summary>Row-major distances, in elements.</summary>
    public static long[] Strides(ReadOnlySpan<int> dims)
    {
        long[] strides = new long[dims.Length];
        long stride = 1;
        for (int i = dims.Length - 1; i >= 0; i--)
        {
            strides[i] = stride;
            stride = checked(stride * dims[i]);
        }

        return strides;
    }

    /// <summary>Copies. Allocates nothing.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The box reaches beyond a buffer.</exception>
    public void Run(ReadOnlySpan<byte> source, Span<byte> target)
    {
        if (_empty)
        {
            return;
        }

        ArgumentOutOfRangeException.ThrowIfNegative(_sourceStart + _sourceLow, nameof(source));
        ArgumentOutOfRangeException.ThrowIfNegative(_targetStart + _targetLow, nameof(target));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(_sourceStart + _sourceHigh, source.Length, nameof(source));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(_targetStart + _targetHigh, target.Length, nameof(target));
        ref byte from = ref Unsafe.AddByteOffset(ref MemoryMarshal.GetReference(source), (nint)_sourceStart);
        ref byte to = ref Unsafe.AddByteOffset(ref MemoryMarshal.GetReference(target), (nint)_targetStart);
        if (_sizes.Length == 0)
        {
            Unsafe.CopyBlockUnaligned(ref to, ref from, (uint)_run);
            return;
        }

        Level(0, ref from, ref to);
    }

    private static List<(int Size, long Source, long Target)> Merge(List<(int Size, long Source, long Target)> axes)
    {
        for (int i = axes.Count - 1; i > 0; i--)
        {
            (int size, long source, long target) = axes[i];
            if (axes[i - 1].Source == source * size && axes[i - 1].Target == target * size)
            {
                axes[i - 1] = (checked(axes[i - 1].Size * size), source, target);
                axes.RemoveAt(i);
            }
        }

        return axes;
    }

    private void Level(int level, ref byte source, ref byte target)
    {
        if (_tiled && level == _sizes.Length - 2)
        {
            TiledPlane(ref source, ref target);
            return;
        }

        if (level == _sizes.Length - 1)
        {
            Row(_run, ref source, _source[level], ref target, _target[level], _sizes[level]);
            return;
        }

        (nint sourceStride, nint targetStride) = (_source[level], _target[level]);
        for (nint i = 0; i < _sizes[level]; i++)
        {
            Level(
                level + 1,
                ref Unsafe.AddByteOffset(ref source, i * sourceStride),
                ref Unsafe.AddByteOffset(ref target, i * targetStride));
        }
    }

    private void TiledPlane(ref byte source, ref byte target)
    {
        int level = _sizes.Length - 2;
        (int outer, int inner) = (_sizes[level], _sizes[level + 1]);
        for (int i = 0; i < outer; i += Tile)
        {
            int end = Math.Min(i + Tile, outer);
            for (int j = 0; j < inner; j += Tile)
            {
                int width = Math.Min(Tile, inner - j);
                for (nint k = i; k < end; k++)
                {
                    Row(
                        _run,
                        ref Unsafe.AddByteOffset(ref source, (k * _source[level]) + (j * _source[level + 1])),
                        _source[level + 1],
                        ref Unsafe.AddByteOffset(ref target, (k * _target[level]) + (j * _target[level + 1])),
                        _target[level + 1],
                        width);
                }
            }
        }
    }

    private static void Row(int run, ref byte source, nint sourceStride, ref byte target, nint targetStride, int count)
    {
        switch (run)
        {
            case 1:
                RowCopy.Elements<byte>(ref source, sourceStride, ref target, targetStride, count);
                break;
            case 2:
                RowCopy.Elements<ushort>(ref source, sourceStride, ref target, targetStride, count);
                break;
            case 4:
                RowCopy.Elements<uint>(ref source, sourceStride, ref target, targetStride, count);
                break;
            case 8:
                RowCopy.Elements<ulong>(ref source, sourceStride, ref target, targetStride, count);
                break;
            case 16:
                RowCopy.Elements<UInt128>(ref source, sourceStride, ref target, targetStride, count);
                break;
            default:
                RowCopy.Runs(ref source, sourceStride, ref target, targetStride, run, count);
                break;
        }
    }
}
