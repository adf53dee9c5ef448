using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Optc.Backends.CArray;
using Optc.Formats;
using Optc.Formats.EthosU;
using Optc.Ir;

namespace Optc.Backends.EthosU;

/// <summary>The weights of a model as an Ethos-U reads them: one blob for all layers, and what says where each of them is.</summary>
/// <remarks>
/// The blob holds for each layer its ranges as <see cref="PackedTensor"/> makes them, every one at a multiple of 16 bytes. It is what Arm's compiler
/// puts into its weight tensor, without the command stream that reads it.
/// </remarks>
public sealed class EthosUPackage
{
    private readonly Lazy<string> _hash;

    internal EthosUPackage(
        string model, Accelerator accelerator, WeightCodecMode codec, ImmutableArray<PackedLayer> layers, ImmutableArray<LayerLeftOut> leftOut, ReadOnlyMemory<byte> blob)
    {
        (Model, Accelerator, Codec, Layers, LeftOut, Blob) = (model, accelerator, codec, layers, leftOut, blob);
        _hash = new(() => Convert.ToHexStringLower(SHA256.HashData(Blob.Span)));
    }

    /// <summary>Name of the model.</summary>
    public string Model { get; }

    public Accelerator Accelerator { get; }

    /// <summary>How the streams were made; both are of one format.</summary>
    public WeightCodecMode Codec { get; }

    /// <summary>In the order of the blob.</summary>
    public ImmutableArray<PackedLayer> Layers { get; }

    /// <summary>Layers with weights that are not in the blob.</summary>
    public ImmutableArray<LayerLeftOut> LeftOut { get; }

    public ReadOnlyMemory<byte> Blob { get; }

    /// <summary>SHA-256 of the blob, 64 hexadecimal digits.</summary>
    public string BlobHash => _hash.Value;

    /// <summary>Packs the convolutions and dense layers of a quantized model.</summary>
    /// <param name="name">Name of the model for manifest and messages.</param>
    /// <exception cref="DiagnosticException">No layer can be packed, or an option is not allowed for the processor.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static EthosUPackage Pack(Module module, string name, EthosUOptions options, CancellationToken cancellation = default)
    {
        Check(options);
        List<HardwareLayer> layers = [];
        List<LayerLeftOut> leftOut = [];
        foreach (Node node in module.Graphs.SelectMany(g => g.Nodes))
        {
            (HardwareLayer? layer, string? reason) = HardwareLayer.Of(node);
            if (layer is not null)
            {
                layers.Add(layer);
            }
            else if (reason is not null)
            {
                leftOut.Add(new(node.Name, node.Op.Schema.Name, reason));
            }
        }

        if (layers.Count == 0)
        {
            throw NothingToPack(name, leftOut);
        }

        using MemoryStream blob = new();
        ImmutableArray<PackedLayer>.Builder packed = ImmutableArray.CreateBuilder<PackedLayer>(layers.Count);
        foreach (HardwareLayer layer in layers)
        {
            (TensorLayout layout, PackedTensor tensor) = Smallest(layer, options, cancellation);
            int start = (int)blob.Length;
            packed.Add(new(layer.Name, layer.Operator, layout, [.. tensor.Ranges.Select(r => r with { Offset = start + r.Offset })], tensor.ReorderedWeights, PackedLayer.Hash(layer.Weights, layer.Entries)));
            blob.Write(tensor.Bytes.Span);
        }

        return new(name, options.Accelerator, options.Codec, packed.MoveToImmutable(), [.. leftOut], blob.ToArray());
    }

    /// <summary>Reads a package, with everything in it: the manifest has to be true of the blob to the last byte.</summary>
    /// <param name="manifest">JSON, UTF-8, as <see cref="WriteManifest"/> makes it.</param>
    /// <exception cref="DiagnosticException">One of the two is damaged, or they do not belong together.</exception>
    public static EthosUPackage Read(ReadOnlyMemory<byte> manifest, ReadOnlyMemory<byte> blob)
    {
        try
        {
            return ManifestReader.Read(manifest, blob);
        }
        catch (MalformedDataException damage)
        {
            string[] place = damage.Offset < 0 ? [] : [string.Create(CultureInfo.InvariantCulture, $"byte 0x{damage.Offset:x} of the blob")];
            throw new DiagnosticException(new Diagnostic(DiagnosticId.DamagedPackage, "the packed weights are damaged, or do not belong to their manifest")
            {
                At = [damage.Path, .. place],
                Found = damage.Found,
                Expected = damage.Expected,
                Hint = "pack the model again: optc convert MODEL.tflite -o DIR --to ethos-u",
            });
        }
    }

    /// <summary>Weights, biases and scales of a layer, out of the blob.</summary>
    public LayerContent Unpack(PackedLayer layer)
    {
        (short[] weights, ImmutableArray<ScaleEntry> entries) = PackedTensor.Read(layer.Layout, Blob.Span, layer.Ranges.AsSpan());
        return new(weights, entries);
    }

    /// <summary>The manifest: JSON with one entry for each layer.</summary>
    public byte[] WriteManifest() => ManifestWriter.Write(this);

    /// <summary>Blob, C header and manifest, in this order.</summary>
    /// <param name="symbol">C identifier that all names begin with, and name of the files.</param>
    /// <exception cref="DiagnosticException">The symbol is no C identifier.</exception>
    public ArtifactSet ToFiles(string symbol)
    {
        ImmutableArray<Diagnostic> problems = CArrayBackend.Check(new(symbol));
        if (!problems.IsEmpty)
        {
            throw new DiagnosticException(problems);
        }

        byte[] header = Encoding.ASCII.GetBytes(PackageHeader.Write(this, symbol));
        byte[] manifest = WriteManifest();
        return new(
        [
            new($"{symbol}.bin", stream => stream.Write(Blob.Span)), new($"{symbol}.h", stream => stream.Write(header)), new($"{symbol}.json", stream => stream.Write(manifest)),
        ]);
    }

    private static void Check(EthosUOptions options)
    {
        int unit = options.Accelerator.OutputMicroBlockDepth;
        List<Diagnostic> problems = [];
        if (options.BlockDepth is { } depth && (depth < unit || depth > Accelerator.DeepestBlock || depth % unit != 0))
        {
            problems.Add(new(DiagnosticId.InvalidOption, $"{options.Accelerator.Name} has no blocks of this depth")
            {
                Found = $"{depth} channels",
                Expected = $"a multiple of {unit} up to {Accelerator.DeepestBlock}, or auto",
            });
        }

        if (options.SliceDepth is { } slice && (slice < Accelerator.DepthUnit || slice % Accelerator.DepthUnit != 0))
        {
            problems.Add(new(DiagnosticId.InvalidOption, "the depth cannot be cut into slices of this size")
            {
                Found = $"{slice} channels",
                Expected = $"a multiple of {Accelerator.DepthUnit}",
            });
        }

        if (problems.Count > 0)
        {
            throw new DiagnosticException([.. problems]);
        }
    }

    private static (TensorLayout Layout, PackedTensor Tensor) Smallest(HardwareLayer layer, EthosUOptions options, CancellationToken cancellation)
    {
        int channels = layer.Shape.OutputChannels;
        int sliceDepth = Math.Min(options.SliceDepth ?? channels, channels);
        ImmutableArray<int> depths = TensorLayout.BlockDepths(options.Accelerator, sliceDepth);
        depths = options.BlockDepth is { } given ? [Math.Min(given, depths[^1])] : depths;
        (TensorLayout Layout, PackedTensor Tensor)? best = null;
        foreach (int depth in depths)
        {
            cancellation.ThrowIfCancellationRequested();
            TensorLayout layout = new()
            {
                Accelerator = options.Accelerator,
                Shape = layer.Shape,
                Traversal = layer.Traversal,
                InputBits = layer.InputBits,
                DilationHeight = layer.DilationH,
                DilationWidth = layer.DilationW,
                BlockDepth = depth,
                DepthOffsets = TensorLayout.Slices(channels, sliceDepth),
            };
            PackedTensor tensor = PackedTensor.Of(layout, layer.Weights, layer.Entries.AsSpan(), options.Codec);
            best = best is { } known && known.Tensor.Bytes.Length < tensor.Bytes.Length ? best : (layout, tensor);
        }

        return best!.Value;
    }

    private static DiagnosticException NothingToPack(string name, List<LayerLeftOut> leftOut)
    {
        bool isFloat = leftOut.Exists(l => l.Reason.Contains("quantize", StringComparison.Ordinal));
        return new(new Diagnostic(DiagnosticId.NothingToPack, "the model has no layer whose weights an Ethos-U can read")
        {
            At = [name],
            Found = leftOut.Count == 0 ? "no layer with weights" : $"{leftOut[0].Operator} '{leftOut[0].Name}': {leftOut[0].Reason}",
            Expected = "convolutions or dense layers of integers",
            Hint = isFloat ? "optc quantize MODEL.tflite -o MODEL-int8.tflite --recipe static-int8 --calibrate SAMPLES, then pack that" : null,
        });
    }
}
