using System.Runtime.InteropServices;
using System.Text.Json;
using Optc.Formats.EthosU;
using Optc.Tests.Snapshots;
using Xunit;

namespace Optc.Tests.Unit.Formats.EthosU;

/// <summary>Weights with the streams that Arm's encoder made of them.</summary>
internal sealed record WeightVector(string Name, short[] Source, short[] Weights, byte[] Stream, WeightShape Shape, TraversalOptions? Options)
{
    public static string Folder => Path.Combine(SharedFolder.Path, "data", "mlw");

    /// <summary>Names of all cases, or one that says that there are none: theories need a row even where they are skipped.</summary>
    public static TheoryData<string> Names(bool reordered = false)
    {
        TheoryData<string> names = [];
        if (SharedFolder.Exists)
        {
            names.AddRange([.. Cases().Where(c => !reordered || IsReordered(c)).Select(c => c.GetProperty("name").GetString()!)]);
        }
        else
        {
            names.Add("none");
        }

        return names;
    }

    public static WeightVector Read(string name)
    {
        JsonElement found = Cases().Single(c => c.GetProperty("name").GetString() == name);
        short[] source = ReadWeights(found, "raw");
        byte[] stream = File.ReadAllBytes(Path.Combine(Folder, found.GetProperty("stream").GetString()!));
        if (!IsReordered(found))
        {
            return new(name, source, source, stream, default, null);
        }

        JsonElement shape = found.GetProperty("shape");
        JsonElement options = found.GetProperty("params");
        return new(
            name,
            source,
            ReadWeights(found, "reordered"),
            stream,
            new(Number(shape, "ofm_depth"), Number(shape, "kernel_height"), Number(shape, "kernel_width"), Number(shape, "ifm_depth")),
            new()
            {
                Traversal = options.GetProperty("is_depthwise").GetBoolean() ? WeightTraversal.Depthwise
                    : options.GetProperty("is_partkernel").GetBoolean() ? WeightTraversal.PartKernelFirst
                    : WeightTraversal.DepthFirst,
                OutputBlockDepth = Number(options, "ofm_block_depth"),
                OutputMicroBlockDepth = Number(options, "ofm_ublock_depth"),
                InputMicroBlockDepth = Number(options, "ifm_ublock_depth"),
                InputBits = Number(options, "ifm_bitdepth"),
                SubKernelHeight = Number(options, "decomp_h"),
                SubKernelWidth = Number(options, "decomp_w"),
            });
    }

    private static JsonElement.ArrayEnumerator Cases() =>
        JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Folder, "manifest.json"))).RootElement.GetProperty("cases").EnumerateArray();

    private static bool IsReordered(JsonElement element) => element.GetProperty("kind").GetString() == "reorder_encode";

    private static int Number(JsonElement element, string name) => element.GetProperty(name).GetInt32();

    private static short[] ReadWeights(JsonElement element, string file)
    {
        byte[] bytes = File.ReadAllBytes(Path.Combine(Folder, element.GetProperty(file).GetString()!));
        return element.GetProperty("raw_dtype").GetString() == "int8"
            ? [.. bytes.Select(b => (short)(sbyte)b)]
            : MemoryMarshal.Cast<byte, short>(bytes).ToArray();
    }
}
