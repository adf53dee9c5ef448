using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace Optc.Ir.Text;

/// <summary>Types, quantization and content of tensors as text, in both directions.</summary>
/// <remarks>
/// <c>i8[2, ?] scale=0.5 zero=-3</c>, per axis <c>scale=[0.5, 0.25] zero=0 axis=1</c>; recorded ranges as <c>min=[..] max=[..]</c>.
/// Content is a flat list in row-major order, or <c>base64:"..."</c> of the bytes. A sparse layout stands between type and
/// content: <c>sparse order=[0, 1] blocks=[] level=4 level=[0, 2]:[1, 3]</c>, a dense level by its size, a compressed one by
/// segments and indices.
/// </remarks>
internal static class TensorText
{
    public const string Elided = "...";

    private const string Base64Prefix = "base64:";

    public static string Print(TensorType type)
    {
        string plain = type.DType.Name + type.Shape;
        return type.Quant is null ? plain : $"{plain} {Print(type.Quant)}";
    }

    public static string Print(TensorData data, QuantParams? quant, PrintOptions options)
    {
        StringBuilder text = new(Print(new TensorType(data.DType, data.Shape, quant)));
        if (data.Sparse is { } sparse)
        {
            text.Append(" sparse order=").Append(Join(sparse.TraversalOrder)).Append(" blocks=").Append(Join(sparse.BlockMap));
            foreach (SparseLevel level in sparse.Levels)
            {
                text.Append(" level=").Append(level.IsDense ? Number(level.DenseSize) : $"{Join(level.Segments)}:{Join(level.Indices)}");
            }
        }

        text.Append(" = ");
        int count = ElementText.Count(data.DType, data.Shape, data.Sparse, data.Bytes.Length);
        return count >= 0 && count <= options.ListedElements && ElementText.TryPrint(data.DType, count, data.Bytes.Span) is { } list
            ? text.Append(list).ToString()
            : text.Append(options.ElidesLargeConstants ? Elided : Base64(data.Bytes.Span)).ToString();
    }

    public static string Base64(ReadOnlySpan<byte> bytes) => $"{Base64Prefix}\"{Convert.ToBase64String(bytes)}\"";

    public static TensorType ReadType(TextScanner text)
    {
        int start = text.Position;
        string name = text.Word();
        DType dtype = DTypes.Parse(name) ?? throw text.Error("an element type is not known", name, "f32, i8, bool ...", start);
        Shape shape = ReadShape(text);
        return new(dtype, shape, ReadQuant(text));
    }

    /// <summary>A type and what follows it up to the content, if there is content.</summary>
    /// <param name="needsSign">The content is announced by <c>=</c>.</param>
    public static (TensorType Type, TensorData? Content) ReadTensor(TextScanner text, bool needsSign)
    {
        TensorType type = ReadType(text);
        int start = text.Position;
        SparseLayout? sparse = text.TryTakeWord("sparse") ? ReadSparse(text) : null;
        if (!text.TryTake("=") && (needsSign || !text.IsNext("[", Base64Prefix, Elided)))
        {
            return sparse is null ? (type, null) : throw text.Error("a sparse layout has no content", null, "=");
        }

        byte[] bytes = ReadBytes(text, type);
        try
        {
            return (type, new TensorData(type.DType, type.Shape, bytes, sparse));
        }
        catch (Exception problem) when (problem is ArgumentException or OverflowException or InvalidOperationException)
        {
            throw text.Error("the content does not fill the shape", $"{bytes.Length} bytes for {type.DType.Name}{type.Shape}", null, start);
        }
    }

    public static byte[] ReadBase64(TextScanner text)
    {
        int start = text.Position;
        if (!text.TryTake(Base64Prefix))
        {
            throw text.Error("content is missing", null, "[...] or base64:\"...\"");
        }

        string code = text.Quoted();
        try
        {
            return Convert.FromBase64String(code);
        }
        catch (FormatException)
        {
            throw text.Error("the content is not base64", null, null, start);
        }
    }

    private static string Print(QuantParams quant)
    {
        StringBuilder text = new("scale=");
        text.Append(quant.Scales.Length == 1 ? Number(quant.Scale) : Join(quant.Scales))
            .Append(" zero=").Append(quant.ZeroPoints.Length == 1 ? Number(quant.ZeroPoint) : Join(quant.ZeroPoints));
        if (quant.IsPerAxis)
        {
            text.Append(" axis=").Append(Number(quant.Axis));
        }

        text.Append(quant.Min.IsEmpty ? "" : $" min={Join(quant.Min)}").Append(quant.Max.IsEmpty ? "" : $" max={Join(quant.Max)}");
        return text.ToString();
    }

    private static Shape ReadShape(TextScanner text)
    {
        text.Expect("[");
        if (text.TryTake(Elided))
        {
            text.Expect("]");
            return Shape.Unranked;
        }

        List<int> dims = [];
        while (!text.TryTake("]"))
        {
            if (dims.Count > 0)
            {
                text.Expect(",");
            }

            int start = text.Position;
            int dim = text.TryTake("?") ? -1 : text.Int();
            dims.Add(dim >= 0 || text.Previous == '?' ? dim : throw text.Error("a dimension is negative", $"{dim}", "a size or ?", start));
        }

        return Shape.Create([.. dims]);
    }

    private static QuantParams? ReadQuant(TextScanner text)
    {
        ImmutableArray<float>? scales = null;
        ImmutableArray<long> zeros = [0];
        ImmutableArray<float> min = [];
        ImmutableArray<float> max = [];
        int axis = 0;
        while (true)
        {
            if (text.TryTake("scale="))
            {
                scales = OneOrMany(text, t => t.Float());
            }
            else if (text.TryTake("zero="))
            {
                zeros = OneOrMany(text, t => t.Long());
            }
            else if (text.TryTake("axis="))
            {
                axis = text.Int();
            }
            else if (text.TryTake("min="))
            {
                min = OneOrMany(text, t => t.Float());
            }
            else if (text.TryTake("max="))
            {
                max = OneOrMany(text, t => t.Float());
            }
            else
            {
                return scales is { } given ? new(given, zeros, axis) { Min = min, Max = max } : null;
            }
        }
    }

    private static SparseLayout ReadSparse(TextScanner text)
    {
        text.Expect("order=");
        ImmutableArray<int> order = OneOrMany(text, t => t.Int());
        text.Expect("blocks=");
        ImmutableArray<int> blocks = OneOrMany(text, t => t.Int());
        ImmutableArray<SparseLevel>.Builder levels = ImmutableArray.CreateBuilder<SparseLevel>();
        while (text.TryTake("level="))
        {
            if (!text.IsNext("["))
            {
                levels.Add(new(text.Int(), [], []));
                continue;
            }

            ImmutableArray<int> segments = OneOrMany(text, t => t.Int());
            text.Expect(":");
            levels.Add(new(0, segments, OneOrMany(text, t => t.Int())));
        }

        return new(order, blocks, levels.ToImmutable());
    }

    private static byte[] ReadBytes(TextScanner text, TensorType type)
    {
        if (text.IsNext(Elided))
        {
            throw text.Error("the content of a constant was left out when the text was printed", Elided, "text that was printed completely");
        }

        if (!text.IsNext("["))
        {
            return ReadBase64(text);
        }

        int start = text.Position;
        List<string> items = text.List(t => t.Item());
        return ElementText.TryParse(type.DType, items)
            ?? throw text.Error($"a list does not hold {type.DType.Name} elements", $"[{string.Join(", ", items.Take(8))}{(items.Count > 8 ? ", ..." : "")}]", null, start);
    }

    private static ImmutableArray<T> OneOrMany<T>(TextScanner text, Func<TextScanner, T> read) =>
        text.IsNext("[") ? [.. text.List(read)] : [read(text)];

    private static string Number(float value) => value.ToString("R", CultureInfo.InvariantCulture);

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Join(ImmutableArray<float> values) => $"[{string.Join(", ", values.Select(Number))}]";

    private static string Join(ImmutableArray<long> values) => $"[{string.Join(", ", values.Select(Number))}]";

    private static string Join(ImmutableArray<int> values) => $"[{string.Join(", ", values.Select(v => Number(v)))}]";
}
