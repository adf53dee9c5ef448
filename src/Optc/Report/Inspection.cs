using System.Collections.Immutable;
using System.Globalization;
using Optc.Backends.TfLite;
using Optc.Formats;
using Optc.Formats.WeightCoding;
using Optc.Ir;
using Optc.Structure;

namespace Optc.Report;

/// <summary>What a model is made of: interfaces, operators, memory, weights, and what each byte of its file is for.</summary>
/// <remarks>
/// Plain data: <see cref="InspectionText"/> and <see cref="ReportJson"/> print it with the same names. Types are the short
/// names of the text form (<c>i8</c>, <c>f32</c>); a dimension that is not known before the run is -1.
/// </remarks>
/// <param name="Description">The producer's description, may be empty.</param>
/// <param name="MinimumRuntime">Oldest runtime that knows all operators, as the file records it or its operators and versions say.</param>
/// <param name="Parameters">Elements of all weights and biases, shared ones once.</param>
/// <param name="Macs">Multiply-accumulates of one invocation, see <see cref="MultiplyAccumulates"/>.</param>
/// <param name="Size">Where the bytes of the file went.</param>
/// <param name="Operators">One entry for each kind of operator and type, in order of first appearance.</param>
/// <param name="Weights">One entry for each weight tensor, in order of execution.</param>
public sealed record Inspection(
    string Description,
    string? MinimumRuntime,
    long Parameters,
    long Macs,
    FileSize Size,
    MemoryNeed Memory,
    ImmutableArray<SignatureEntry> Signatures,
    ImmutableArray<GraphEntry> Graphs,
    ImmutableArray<OperatorEntry> Operators,
    ImmutableArray<MetadataEntry> Metadata,
    ImmutableArray<WeightEntry> Weights)
{
    /// <summary>File, gzip of the file, weights as stored, weights by each coder.</summary>
    public required ModelSizes Sizes { get; init; }

    /// <summary>What shrinking would take; <see langword="null"/> where that was not asked, see <see cref="Model.Savings"/>.</summary>
    public ShrinkSavings? Savings { get; init; }

    /// <summary>Inspects a model as optc would write it.</summary>
    /// <exception cref="DiagnosticException">Ops have no encoding in <c>.tflite</c>, or sparse weights contradict themselves.</exception>
    public static Inspection Of(Module module) => Of(module, TfLiteBackend.ToArray(StructureRecord.Attach(module)));

    /// <param name="file">The <c>.tflite</c> file that the module was read from, or that was written from it.</param>
    /// <exception cref="MalformedDataException">The bytes are no <c>.tflite</c> file.</exception>
    /// <exception cref="ArgumentException">The file holds another model.</exception>
    /// <exception cref="DiagnosticException">Sparse weights contradict themselves.</exception>
    public static Inspection Of(Module module, ReadOnlyMemory<byte> file) => new Inspector(module, file).Inspect();

    /// <summary>The report as aligned text, see <see cref="InspectionText"/>.</summary>
    public override string ToString() => InspectionText.Of(this).ToString();
}

/// <param name="Bytes">Length of the file.</param>
/// <param name="Uses">What they are for; adds up to <paramref name="Bytes"/>.</param>
public sealed record FileSize(long Bytes, ImmutableArray<ByteUse> Uses);

/// <param name="Use">Name of a <see cref="Formats.TfLite.TfLiteByteUse"/> in lower case.</param>
/// <param name="Percent">Share of the file.</param>
public sealed record ByteUse(string Use, long Bytes, double Percent);

/// <param name="ArenaBytes">Tensor arena that TFLite Micro needs, estimated (<see cref="Backends.TfLiteMicro.ArenaEstimate"/>).</param>
/// <param name="ArenaActivations">Its reused part: activations and scratch.</param>
/// <param name="ArenaPersistent">Its allocated part: tables of the interpreter, data of kernels, variables.</param>
/// <param name="PeakActivations">
/// Bytes of the activations that exist at the same time, at most: no plan of memory can take less, without scratch.
/// </param>
/// <param name="PeakLayer">The layer during which that is so; <see langword="null"/> for a graph without nodes.</param>
public sealed record MemoryNeed(
    long ArenaBytes, long ArenaActivations, long ArenaPersistent, long PeakActivations, string? PeakLayer);

/// <param name="Key">Name of the entry point.</param>
/// <param name="Graph">The graph it runs.</param>
public sealed record SignatureEntry(
    string Key, string Graph, ImmutableArray<TensorEntry> Inputs, ImmutableArray<TensorEntry> Outputs);

/// <param name="Tensors">Values of the graph, constants and variables included.</param>
public sealed record GraphEntry(
    string Name, int Operators, int Tensors, long Macs, ImmutableArray<TensorEntry> Inputs, ImmutableArray<TensorEntry> Outputs);

/// <summary>A tensor of an interface.</summary>
/// <param name="Shape"><see langword="null"/> when not even the rank is known.</param>
public sealed record TensorEntry(string Name, string Type, ImmutableArray<int>? Shape, GridEntry? Quantization);

/// <summary>An affine quantization: <c>real = scale * (code - zero point)</c>.</summary>
/// <param name="Scales">How many scales there are: 1, or one for each index of <paramref name="Axis"/>.</param>
/// <param name="Axis"><see langword="null"/> for a single scale.</param>
public sealed record GridEntry(
    int Scales, float MinScale, float MaxScale, long MinZeroPoint, long MaxZeroPoint, int? Axis)
{
    /// <summary>E.g. <c>scale=0.0039 zero=-128</c>, <c>scale=0.0021..0.0143 zero=0 axis=0</c>.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"scale={Range(MinScale, MaxScale, "G4")} zero={Range(MinZeroPoint, MaxZeroPoint, "D")}{(Axis is { } axis ? $" axis={axis}" : "")}");

    private static string Range<T>(T low, T high, string format)
        where T : IFormattable, IEquatable<T> => low.Equals(high)
        ? low.ToString(format, CultureInfo.InvariantCulture)
        : $"{low.ToString(format, CultureInfo.InvariantCulture)}..{high.ToString(format, CultureInfo.InvariantCulture)}";
}

/// <param name="Op">Name of the operator.</param>
/// <param name="Type">Type it computes with; <c>hybrid</c> for float activations on integer weights.</param>
/// <param name="Versions">Versions in the file, ascending.</param>
/// <param name="Macs">Multiply-accumulates of all of them.</param>
/// <param name="MacsPercent">Share of the model's.</param>
/// <param name="Executable">Whether optc has a kernel for this type.</param>
public sealed record OperatorEntry(
    string Op, string Type, int Count, ImmutableArray<int> Versions, long Macs, double MacsPercent, bool Executable);

public sealed record MetadataEntry(string Name, long Bytes);

/// <summary>A constant that an operator multiplies with.</summary>
/// <param name="Name">Name of the tensor.</param>
/// <param name="Layer">The first layer that uses it.</param>
/// <param name="Operand">What it is to that layer, e.g. <c>w</c>.</param>
/// <param name="Elements">Elements of the dense shape.</param>
/// <param name="Bytes">Bytes as stored.</param>
/// <param name="Shared">True when a tensor further up has the same bytes of the file.</param>
/// <param name="Zeros">Elements whose real value is 0: whose code is the zero point.</param>
/// <param name="ZeroPercent">Share of <paramref name="Elements"/>.</param>
/// <param name="Distinct">Different codes, or bit patterns of floats with -0 as 0.</param>
/// <param name="DistinctPerChannel">The same within one output channel, the largest of all.</param>
/// <param name="Entropy">Shannon entropy of the distribution of codes, bits for one element.</param>
/// <param name="IdealBytes">What an ideal coder of single elements needs, <c>elements * entropy / 8</c> rounded up; a table of the values is not included.</param>
/// <param name="ZeroChannels">Output channels that are 0 throughout.</param>
/// <param name="Pattern">
/// <c>m:n</c> when in every group of n neighbours along the innermost axis at most m differ from 0, and in half of the groups
/// that are not all 0 exactly m; the smallest m / n of n = 2, 4, 8, 16 with m up to n / 2 and 16 groups at least. <see langword="null"/> for none.
/// </param>
/// <param name="Sparse">True when only chosen elements are stored.</param>
/// <param name="Channels">Output channels.</param>
/// <remarks>Zeros, codes and patterns are those of the dense tensor, however it is stored.</remarks>
public sealed record WeightEntry(
    string Name,
    string Layer,
    string Op,
    string Operand,
    string Type,
    ImmutableArray<int>? Shape,
    long Elements,
    long Bytes,
    bool Shared,
    long Zeros,
    double ZeroPercent,
    long Distinct,
    int DistinctPerChannel,
    double Entropy,
    long IdealBytes,
    int Channels,
    int ZeroChannels,
    string? Pattern,
    bool Sparse,
    GridEntry? Quantization)
{
    /// <summary>
    /// What the values are bound to, e.g. <c>kept: zeros, 16 codes, 8-bit grid</c> as the file records it, or <c>found: 8 codes in each
    /// channel</c> as its values show it; <see langword="null"/> for neither.
    /// </summary>
    public string? Bound { get; init; }

    /// <summary>Of this tensor stored alone, by each of <see cref="ModelSizes.Coders"/>; empty for weights that no coder takes.</summary>
    public ImmutableArray<WeightCost> Coded { get; init; } = [];

    /// <summary>What is special about the tensor in a few words; empty for an ordinary one.</summary>
    public string Structure => string.Join(", ", new[]
    {
        Bound?.Contains(Pattern ?? "-", StringComparison.Ordinal) == true ? null : Pattern,
        Bound,
        Sparse ? "sparse layout" : null,
        ZeroChannels > 0 ? string.Create(CultureInfo.InvariantCulture, $"{ZeroChannels} zero channels") : null,
        Shared ? "shared" : null,
    }.OfType<string>());
}
