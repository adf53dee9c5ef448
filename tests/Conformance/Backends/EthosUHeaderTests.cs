using System.Diagnostics;
using System.Globalization;
using Optc.Backends;
using Optc.Backends.EthosU;
using Optc.Formats.EthosU;
using Optc.Ir;
using Optc.Ops;
using Optc.Tests.Snapshots;
using Xunit;

namespace Optc.Tests.Conformance.Backends;

public sealed class EthosUHeaderTests
{
    [ToolTheory("gcc")]
    [InlineData("gcc", "-std=c99", "main.c")]
    [InlineData("gcc", "-std=c11", "main.c")]
    [InlineData("g++", "-std=c++17", "main.cpp")]
    public void A_program_finds_every_range(string compiler, string standard, string main)
    {
        GraphBuilder graph = new("main");
        Value x = graph.Input("x", new(DType.I8, [1, 3], new(0.1f, 0)));
        sbyte[] codes = [.. Enumerable.Range(0, 75).Select(i => (sbyte)(i - 30))];
        Value w = GraphBuilder.Constant(TensorData.From<sbyte>(DType.I8, [25, 3], codes), "w", new(0.1f, 0));
        graph.Output(graph.Add(new FullyConnected(), [x, w], "*/ dense \u00e4", new QuantParams(0.1f, 0)).Output);
        EthosUPackage package = EthosUPackage.Pack(
            GraphBuilder.Module([graph.Build()]), "sample", new(Accelerator.Find("ethos-u65-512")!) { SliceDepth = 16 });
        string folder = Directory.CreateTempSubdirectory("optc-ethos-u").FullName;
        try
        {
            foreach (Artifact file in package.ToFiles("kws_int8").Files)
            {
                File.WriteAllBytes(Path.Combine(folder, file.Name), file.ToArray());
            }

            File.WriteAllText(Path.Combine(folder, main),
                """
                #include "kws_int8.h"
                #include <stdio.h>
                int main(void) {
                  unsigned i;
                  const kws_int8_layer *layer = &kws_int8_layers[KWS_INT8_LAYER_0];
                  for (i = 0; i < layer->ranges; i++) {
                    const kws_int8_range *r = &kws_int8_ranges[layer->first_range + i];
                    printf("%u %u %u %u %u %u\n", (unsigned)r->slice, (unsigned)r->core, (unsigned)r->offset, (unsigned)r->scale_bytes,
                      (unsigned)r->weight_offset, (unsigned)r->weight_bytes);
                  }
                  return layer->offset + layer->bytes == KWS_INT8_BYTES && KWS_INT8_CORES == 2 && KWS_INT8_RANGES == 4 ? 0 : 1;
                }

                """);
            Run(folder, compiler, [standard, "-Wall", "-Wextra", "-Wpedantic", "-Werror", main, "-o", "program"]);
            string printed = Run(folder, Path.Combine(folder, "program"), []);

            string expected = string.Concat(package.Layers[0].Ranges.Select(r => string.Create(
                CultureInfo.InvariantCulture, $"{r.Slice} {r.Core} {r.Offset} {r.ScaleBytes} {r.WeightOffset} {r.WeightBytes}\n")));
            Assert.Equal(expected, printed);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static string Run(string folder, string program, string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        string output = process.StandardOutput.ReadToEnd();
        string errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program} gave {process.ExitCode}: {errors}");
        return output;
    }
}
