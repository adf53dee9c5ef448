using System.Globalization;
using System.Text;
using Optc.Formats.EthosU;

namespace Optc.Backends.EthosU;

/// <summary>Writes the C header of a package: where in the blob each layer and each of its ranges is.</summary>
internal static class PackageHeader
{
    /// <param name="symbol">C identifier that all names begin with.</param>
    public static string Write(EthosUPackage package, string symbol)
    {
        string macro = symbol.ToUpperInvariant();
        StringBuilder text = new();
        text.Append(CultureInfo.InvariantCulture, $$"""
            #ifndef {{macro}}_H
            #define {{macro}}_H

            #include <stdint.h>

            /* Packed weights for {{package.Accelerator.Name}}: {{package.Blob.Length}} bytes in {{symbol}}.bin, to be aligned to 16. */
            #define {{macro}}_BYTES {{package.Blob.Length}}u
            #define {{macro}}_CORES {{package.Accelerator.Cores}}u
            #define {{macro}}_LAYERS {{package.Layers.Length}}u
            #define {{macro}}_RANGES {{package.Layers.Sum(l => l.Ranges.Length)}}u

            /* Scale base = blob + offset, scale length = weight_offset; weight base = blob + offset + weight_offset. */
            typedef struct {
                uint16_t slice;
                uint16_t core;
                uint32_t offset;
                uint32_t scale_bytes;
                uint32_t weight_offset;
                uint32_t weight_bytes;
            } {{symbol}}_range;

            typedef struct {
                uint32_t first_range;
                uint32_t ranges;
                uint32_t offset;
                uint32_t bytes;
                uint32_t ofm_depth;
                uint16_t block_depth;
                uint8_t part_kernel_first;
                uint8_t depthwise;
            } {{symbol}}_layer;


            """);
        for (int i = 0; i < package.Layers.Length; i++)
        {
            text.Append(CultureInfo.InvariantCulture, $"#define {macro}_LAYER_{i} {i}u /* {Comment(package.Layers[i])} */\n");
        }

        text.Append(CultureInfo.InvariantCulture, $"\nstatic const {symbol}_range {symbol}_ranges[{macro}_RANGES] = {{\n");
        foreach (WeightRange range in package.Layers.SelectMany(l => l.Ranges))
        {
            text.Append(
                CultureInfo.InvariantCulture,
                $"    {{ {range.Slice}, {range.Core}, {range.Offset}u, {range.ScaleBytes}u, {range.WeightOffset}u, {range.WeightBytes}u }},\n");
        }

        text.Append(CultureInfo.InvariantCulture, $"}};\n\nstatic const {symbol}_layer {symbol}_layers[{macro}_LAYERS] = {{\n");
        int first = 0;
        foreach (PackedLayer layer in package.Layers)
        {
            TensorLayout layout = layer.Layout;
            int isPart = layout.Traversal is WeightTraversal.PartKernelFirst ? 1 : 0;
            int isDepthwise = layout.Traversal is WeightTraversal.Depthwise ? 1 : 0;
            text.Append(
                CultureInfo.InvariantCulture,
                $"    {{ {first}u, {layer.Ranges.Length}u, {layer.Offset}u, {layer.Length}u, {layout.Shape.OutputChannels}u, {layout.BlockDepth}, {isPart}, {isDepthwise} }},\n");
            first += layer.Ranges.Length;
        }

        return text.Append("};\n\n#endif\n").ToString();
    }

    /// <summary>Operator and name, of which nothing can end the comment or leave ASCII.</summary>
    private static string Comment(PackedLayer layer) =>
        $"{layer.Operator}: {string.Concat(layer.Name.Select(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.' or ' ' or ';' or ':' ? c : '_'))}";
}
