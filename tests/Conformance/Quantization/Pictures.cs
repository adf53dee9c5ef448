using System.Numerics.Tensors;
using Optc.Formats.Npy;
using Optc.Ir;
using Optc.Passes.Quantize;
using Optc.Runtime;
using Optc.Tests.Snapshots;

namespace Optc.Tests.Conformance.Quantization;

/// <summary>Labelled 32x32 colour pictures of the shared folder, as floats of 0 to 255.</summary>
internal sealed class Pictures
{
    private const int Side = 32;
    private const int Channels = 3;
    private const int Size = Side * Side * Channels;

    private readonly float[] _pixels;
    private readonly int[] _labels;

    private Pictures(float[] pixels, int[] labels) => (_pixels, _labels) = (pixels, labels);

    public int Count => _labels.Length;

    /// <param name="part">"train" or "test".</param>
    /// <param name="count">The first so many of them.</param>
    public static Pictures Load(string part, int count)
    {
        using NpzReader archive = NpzReader.Open(Path.Combine(SharedFolder.Path, "data", "cifar10", "cifar10-jpeg.npz"));
        NpyArray deltas = archive.Read($"x_{part}_delta").Rows(0, count);
        byte[] pixels = deltas.AsSpan<byte>().ToArray();
        for (int image = 0; image < count; image++)
        {
            Undo(pixels.AsSpan(image * Size, Size));
        }

        float[] values = new float[pixels.Length];
        TensorPrimitives.ConvertTruncating<byte, float>(pixels, values);
        return new(values, archive.Read($"y_{part}").Rows(0, count).ToInt32s());
    }

    public ReadOnlySpan<float> this[int index] => _pixels.AsSpan(index * Size, Size);

    public CalibrationData AsCalibration(IEnumerable<int>? order = null) => new(
        (order ?? Enumerable.Range(0, Count)).Select(i => CalibrationSample.Of(i, TensorData.FromFloats([1, Side, Side, Channels], this[i]))), Count);

    /// <summary>Part of the pictures whose largest score is that of the label; the first of equals counts.</summary>
    public double Accuracy(Module module)
    {
        using Interpreter interpreter = new(module);
        int right = 0;
        for (int i = 0; i < Count; i++)
        {
            Write(this[i], interpreter);
            interpreter.Run();
            right += BestOf(interpreter) == _labels[i] ? 1 : 0;
        }

        return (double)right / Count;
    }

    private static void Write(ReadOnlySpan<float> values, Interpreter interpreter)
    {
        TensorType type = interpreter.InputType(0);
        switch (type.DType)
        {
            case DType.F32:
                values.CopyTo(interpreter.Input<float>(0));
                break;
            case DType.I8:
                AffineGrid.Quantize(TensorData.FromFloats(type.Shape, values), DType.I8, type.Quant!).Bytes.Span.CopyTo(interpreter.Input(0));
                break;
            case DType.I16:
                AffineGrid.Quantize(TensorData.FromFloats(type.Shape, values), DType.I16, type.Quant!).Bytes.Span.CopyTo(interpreter.Input(0));
                break;
        }
    }

    private static int BestOf(Interpreter interpreter) => interpreter.OutputType(0).DType switch
    {
        DType.F32 => TensorPrimitives.IndexOfMax(interpreter.Output<float>(0)),
        DType.I8 => TensorPrimitives.IndexOfMax(interpreter.Output<sbyte>(0)),
        _ => TensorPrimitives.IndexOfMax(interpreter.Output<short>(0)),
    };

    /// <summary>Two-dimensional sums modulo 256 of what is stored, as the README beside the data says.</summary>
    private static void Undo(Span<byte> image)
    {
        const int Row = Side * Channels;
        for (int i = 0; i < Size; i++)
        {
            int left = i % Row >= Channels ? image[i - Channels] : 0;
            int above = i >= Row ? image[i - Row] : 0;
            int corner = i >= Row && i % Row >= Channels ? image[i - Row - Channels] : 0;
            image[i] = (byte)(image[i] + left + above - corner);
        }
    }
}
