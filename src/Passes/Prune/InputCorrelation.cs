using System.Collections.Immutable;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using MathNet.Numerics.LinearAlgebra;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;
using Optc.Passes.Quantize;
using Optc.Runtime;

namespace Optc.Passes.Prune;

/// <summary>
/// What the outputs of a layer read, over calibration data: <c>X X'</c>, where a column of X holds the numbers that one output channel
/// multiplies with its weights at one position.
/// </summary>
/// <remarks>
/// It is the Hessian, but for a factor, of the squared error that a change of the weights makes in the result before the activation. Layers with
/// groups have one matrix [K, K] for each, in the order of the weights of one output: K = KH * KW * I. A depthwise convolution has C groups.
/// </remarks>
public sealed class InputCorrelation
{
    // So many columns are added together, while a row of the sums is at hand; each sum still takes them one after the other.
    private const int Block = 32;

    private readonly double[][] _sums;
    private readonly double[][] _columns;
    private readonly double[][] _columnsBefore;
    private readonly int[] _pending;
    private double[][]? _cross;

    /// <param name="groups">Groups of outputs that read different inputs.</param>
    /// <param name="length">Numbers that one output reads.</param>
    public InputCorrelation(int groups, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(groups);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(length);
        (Groups, Length) = (groups, length);
        _sums = Buffers(length * length);
        _columns = Buffers(Block * length);
        _columnsBefore = Buffers(Block * length);
        _pending = new int[groups];
    }

    public int Groups { get; }

    /// <summary>Numbers that one output reads, K.</summary>
    public int Length { get; }

    /// <summary>Columns of X so far, in each group.</summary>
    public long Samples { get; private set; }

    /// <summary>The correlations of layers of a float model, observed while samples run through it in their order.</summary>
    /// <param name="layers">Convolutions without computed weights, depthwise convolutions and dense layers of the main graph.</param>
    /// <exception cref="DiagnosticException">A layer is of another kind, a sample does not fit, or there is none.</exception>
    public static IReadOnlyDictionary<Node, InputCorrelation> Observe(
        Module module, ICalibrationSource source, IEnumerable<Node> layers, CancellationToken cancellation = default)
    {
        Dictionary<Node, InputCorrelation> found = layers.ToDictionary(n => n, Of);
        using Interpreter interpreter = new(module);
        SampleReader reader = new(module, interpreter, "calibration sample");
        interpreter.NodeDone = node =>
        {
            if (found.TryGetValue(node, out InputCorrelation? correlation))
            {
                correlation.Add(node, MemoryMarshal.Cast<byte, float>(interpreter.Bytes(node.Inputs[0]!)));
            }
        };
        foreach (CalibrationSample sample in source.Samples())
        {
            interpreter.Reset();
            foreach (ImmutableArray<CalibrationTensor> step in sample.Steps)
            {
                reader.Fill(sample.Index, step);
                interpreter.Run(cancellation);
            }
        }

        return found.FirstOrDefault(f => f.Value.Samples == 0) is { Key: { } silent }
            ? throw new DiagnosticException(new Diagnostic(DiagnosticId.NoCalibrationData, $"no calibration sample reaches {silent}"))
            : found;
    }

    /// <summary>The correlations of one layer of a changed model, also with what the layer read before anything was changed.</summary>
    /// <param name="module">The changed model.</param>
    /// <param name="original">The model as it was, with the same layers.</param>
    /// <exception cref="DiagnosticException">The layer is of another kind, a sample does not fit, or there is none.</exception>
    public static InputCorrelation Observe(
        Module module, Module original, ICalibrationSource source, Node layer, CancellationToken cancellation = default)
    {
        InputCorrelation found = Of(layer);
        Node before = original.Main.Nodes[module.Main.Nodes.ToList().IndexOf(layer)];
        using Interpreter now = new(module);
        using Interpreter then = new(original);
        SampleReader readerNow = new(module, now, "calibration sample");
        SampleReader readerThen = new(original, then, "calibration sample");
        float[] read = [];
        then.NodeDone = node => read = node == before ? MemoryMarshal.Cast<byte, float>(then.Bytes(node.Inputs[0]!)).ToArray() : read;
        now.NodeDone = node =>
        {
            if (node == layer)
            {
                found.Add(node, MemoryMarshal.Cast<byte, float>(now.Bytes(node.Inputs[0]!)), read);
            }
        };
        foreach (CalibrationSample sample in source.Samples())
        {
            now.Reset();
            then.Reset();
            foreach (ImmutableArray<CalibrationTensor> step in sample.Steps)
            {
                readerThen.Fill(sample.Index, step);
                then.Run(cancellation);
                readerNow.Fill(sample.Index, step);
                now.Run(cancellation);
            }
        }

        return found.Samples > 0
            ? found
            : throw new DiagnosticException(new Diagnostic(DiagnosticId.NoCalibrationData, $"no calibration sample reaches {layer}"));
    }

    /// <summary>An empty one for a layer.</summary>
    /// <exception cref="DiagnosticException">The layer is no convolution and no dense layer.</exception>
    public static InputCorrelation Of(Node layer)
    {
        Shape? w = layer.Input(1)?.Type.Shape;
        return layer.Op switch
        {
            Conv2D => new(layer.Inputs[0]!.Type.Shape[3] / w![3], w[1] * w[2] * w[3]),
            DepthwiseConv2D => new(layer.Inputs[0]!.Type.Shape[3], w![1] * w[2]),
            FullyConnected => new(1, w![1]),
            _ => throw new DiagnosticException(new Diagnostic(DiagnosticId.InvalidOption, "the second order of a layer is not known")
            {
                At = [layer.ToString()],
                Expected = "a convolution, a depthwise convolution or a dense layer",
            }),
        };
    }

    /// <summary>Adds a column of X to one group.</summary>
    /// <param name="column">[K]</param>
    /// <param name="before">What stood there before the model was changed; the same when empty. All columns have it or none.</param>
    public void Add(int group, ReadOnlySpan<double> column, ReadOnlySpan<double> before = default)
    {
        column.CopyTo(Next(group));
        if (!before.IsEmpty)
        {
            before.CopyTo(NextBefore(group));
        }

        Done(group);
    }

    /// <summary>Adds what a layer reads in one invocation.</summary>
    /// <param name="x">[N, H, W, C] of a convolution, [.., K] of a dense layer.</param>
    /// <param name="before">What it read before the model was changed; the same when empty.</param>
    public void Add(Node layer, ReadOnlySpan<float> x, ReadOnlySpan<float> before = default)
    {
        switch (layer.Op)
        {
            case Conv2D op:
                Add(layer, x, before, WindowOf(layer, 1, op.StrideH, op.DilationH, op.Padding), WindowOf(layer, 2, op.StrideW, op.DilationW, op.Padding));
                break;
            case DepthwiseConv2D op:
                Add(layer, x, before, WindowOf(layer, 1, op.StrideH, op.DilationH, op.Padding), WindowOf(layer, 2, op.StrideW, op.DilationW, op.Padding));
                break;
            default:
                for (int start = 0; start < x.Length; start += Length)
                {
                    TensorPrimitives.ConvertTruncating(x.Slice(start, Length), Next(0));
                    if (!before.IsEmpty)
                    {
                        TensorPrimitives.ConvertTruncating(before.Slice(start, Length), NextBefore(0));
                    }

                    Done(0);
                }

                break;
        }
    }

    /// <summary><c>X X' / samples + damping * mean of its diagonal * I</c>, positive definite for a damping above 0.</summary>
    internal Matrix<double> Hessian(int group, double damping)
    {
        Flush(group);
        double[] sums = _sums[group];
        double scale = 1.0 / Math.Max(1, Samples);
        double mean = 0;
        for (int i = 0; i < Length; i++)
        {
            mean += sums[(i * Length) + i] * scale / Length;
        }

        double ridge = mean > 0 ? damping * mean : 1;
        return Matrix<double>.Build.Dense(
            Length, Length, (i, j) => (sums[(Math.Min(i, j) * Length) + Math.Max(i, j)] * scale) + (i == j ? ridge : 0));
    }

    /// <summary><c>X Z' / samples + damping * mean of the diagonal of X X' * I</c> with Z, what was read before; the Hessian where that is the same.</summary>
    internal Matrix<double> Cross(int group, double damping)
    {
        Matrix<double> hessian = Hessian(group, damping);
        if (_cross is null)
        {
            return hessian;
        }

        double scale = 1.0 / Math.Max(1, Samples);
        double ridge = hessian[0, 0] - (_sums[group][0] * scale);
        return Matrix<double>.Build.Dense(Length, Length, (i, j) => (_cross[group][(i * Length) + j] * scale) + (i == j ? ridge : 0));
    }

    private double[][] Buffers(int size) => [.. Enumerable.Range(0, Groups).Select(_ => new double[size])];

    /// <summary>Room for the next column of a group.</summary>
    private Span<double> Next(int group)
    {
        if (_pending[group] == Block)
        {
            Flush(group);
        }

        return _columns[group].AsSpan(_pending[group] * Length, Length);
    }

    /// <summary>Room for what stood there before the change.</summary>
    private Span<double> NextBefore(int group)
    {
        _cross ??= Buffers(Length * Length);
        return _columnsBefore[group].AsSpan(_pending[group] * Length, Length);
    }

    private void Done(int group)
    {
        _pending[group]++;
        Samples += group == 0 ? 1 : 0;
    }

    private void Flush(int group)
    {
        for (int i = 0; i < Length; i++)
        {
            Span<double> sums = _sums[group].AsSpan((i * Length) + i, Length - i);
            Span<double> cross = _cross is null ? [] : _cross[group].AsSpan(i * Length, Length);
            for (int k = 0; k < _pending[group]; k++)
            {
                ReadOnlySpan<double> column = _columns[group].AsSpan(k * Length, Length);
                if (column[i] == 0)
                {
                    continue;
                }

                TensorPrimitives.MultiplyAdd(column[i..], column[i], sums, sums);
                if (_cross is not null)
                {
                    TensorPrimitives.MultiplyAdd(_columnsBefore[group].AsSpan(k * Length, Length), column[i], cross, cross);
                }
            }
        }

        _pending[group] = 0;
    }

    private static Window WindowOf(Node layer, int axis, int stride, int dilation, PaddingMode padding)
    {
        (int input, int kernel) = (layer.Inputs[0]!.Type.Shape[axis], layer.Inputs[1]!.Type.Shape[axis]);
        return padding is PaddingMode.Same ? Window.Same(input, kernel, stride, dilation) : Window.Valid(input, kernel, stride, dilation);
    }

    private void Add(Node layer, ReadOnlySpan<float> x, ReadOnlySpan<float> before, Window rows, Window columns)
    {
        Shape shape = layer.Inputs[0]!.Type.Shape;
        int batch = x.Length / (shape[1] * shape[2] * shape[3]);
        for (int place = 0; place < batch * rows.Output * columns.Output; place++)
        {
            for (int group = 0; group < Groups; group++)
            {
                Gather(x, shape, rows, columns, place, group, Next(group));
                if (!before.IsEmpty)
                {
                    Gather(before, shape, rows, columns, place, group, NextBefore(group));
                }

                Done(group);
            }
        }
    }

    /// <summary>The window of one output place and group, zeros in the padding.</summary>
    private void Gather(ReadOnlySpan<float> x, Shape shape, Window rows, Window columns, int place, int group, Span<double> target)
    {
        (int sample, int row, int column) = (place / (rows.Output * columns.Output), place / columns.Output % rows.Output, place % columns.Output);
        int wide = shape[3] / Groups;
        target.Clear();
        for (int tap = 0; tap < rows.Kernel * columns.Kernel; tap++)
        {
            int y = rows.Start(row) + (tap / columns.Kernel * rows.Dilation);
            int z = columns.Start(column) + (tap % columns.Kernel * columns.Dilation);
            if (y >= 0 && y < shape[1] && z >= 0 && z < shape[2])
            {
                int from = (((((sample * shape[1]) + y) * shape[2]) + z) * shape[3]) + (group * wide);
                TensorPrimitives.ConvertTruncating(x.Slice(from, wide), target.Slice(tap * wide, wide));
            }
        }
    }
}
