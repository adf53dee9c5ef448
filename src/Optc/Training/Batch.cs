using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Optc.Ir;

namespace Optc.Training;

/// <summary>Samples with their labels. Its source fills it again with every step.</summary>
public sealed class Batch
{
    private readonly byte[][] _inputs;
    private readonly int[] _lengths;
    private readonly byte[] _classes;
    private readonly byte[] _targets;
    private readonly int[] _samples;

    internal Batch(int size, ImmutableArray<Shape> inputs, Shape? target, bool hasClasses)
    {
        Size = size;
        InputShapes = inputs;
        TargetShape = target;
        _lengths = [.. inputs.Select(s => checked((int)s.ElementCount))];
        _inputs = [.. _lengths.Select(l => new byte[checked(size * l * sizeof(float))])];
        TargetLength = target is null ? 0 : checked((int)target.ElementCount);
        _targets = new byte[checked(size * TargetLength * sizeof(float))];
        _classes = new byte[hasClasses ? size * sizeof(int) : 0];
        _samples = new int[size];
    }

    /// <summary>Samples there is room for.</summary>
    public int Size { get; }

    /// <summary>Samples that are in it; fewer than <see cref="Size"/> at the end of an epoch.</summary>
    public int Count { get; internal set; }

    /// <summary>Position of the source before this batch.</summary>
    public BatchPosition Start { get; internal set; }

    /// <summary>Shape of one sample of each input.</summary>
    public ImmutableArray<Shape> InputShapes { get; }

    /// <summary>Shape of the label of one sample as numbers; <see langword="null"/> when labels are classes or missing.</summary>
    public Shape? TargetShape { get; }

    /// <summary>Class of each sample [Count]; empty when labels are no classes.</summary>
    /// <remarks>Beside soft labels it is the class of the sample itself, not of those that were mixed in.</remarks>
    public ReadOnlySpan<int> Classes => MemoryMarshal.Cast<byte, int>(ClassBytes.Span);

    /// <summary>Labels as numbers [Count, ..]; empty when there are none.</summary>
    public ReadOnlySpan<float> Targets => MemoryMarshal.Cast<byte, float>(TargetBytes.Span);

    /// <summary><see cref="Classes"/> as i32 in memory.</summary>
    public ReadOnlyMemory<byte> ClassBytes => _classes.AsMemory(0, Math.Min(Count * sizeof(int), _classes.Length));

    /// <summary><see cref="Targets"/> as f32 in memory.</summary>
    public ReadOnlyMemory<byte> TargetBytes => _targets.AsMemory(0, Count * TargetLength * sizeof(float));

    /// <summary>Numbers of the samples in the data set [Count].</summary>
    public ReadOnlySpan<int> Samples => _samples.AsSpan(0, Count);

    internal int TargetLength { get; }

    internal Span<int> MutableSamples => _samples;

    /// <summary>One input [Count, ..].</summary>
    public ReadOnlySpan<float> Input(int index) => MemoryMarshal.Cast<byte, float>(InputBytes(index).Span);

    /// <summary>One input as f32 in memory.</summary>
    public ReadOnlyMemory<byte> InputBytes(int index) => _inputs[index].AsMemory(0, Count * _lengths[index] * sizeof(float));

    internal Span<float> InputRow(int input, int row) => Row(_inputs[input], row, _lengths[input]);

    internal Span<float> TargetRow(int row) => Row(_targets, row, TargetLength);

    internal void SetClass(int row, int value) => MemoryMarshal.Cast<byte, int>(_classes.AsSpan())[row] = value;

    private static Span<float> Row(byte[] bytes, int row, int length) => MemoryMarshal.Cast<byte, float>(bytes.AsSpan()).Slice(row * length, length);
}
