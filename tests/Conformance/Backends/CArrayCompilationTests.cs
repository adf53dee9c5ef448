using System.Diagnostics;
using Optc.Backends;
using Optc.Backends.CArray;
using Optc.Tests.Snapshots;
using Xunit;

namespace Optc.Tests.Conformance.Backends;

public sealed class CArrayCompilationTests
{
    private static readonly byte[] Content = [.. Enumerable.Range(0, 1000).Select(i => (byte)(i * 7))];

    [ToolTheory("gcc")]
    [InlineData("gcc", "-std=c99", "main.c")]
    [InlineData("gcc", "-std=c11", "main.c")]
    [InlineData("g++", "-std=c++17", "main.cpp")]
    public void Header_and_source_give_the_bytes_aligned(string compiler, string standard, string main) =>
        CompileAndRun(CArrayStyle.HeaderAndSource, compiler, standard, main, alignment: 16);

    [ToolTheory("gcc")]
    [InlineData("gcc", "-std=c11", "main.c")]
    [InlineData("g++", "-std=c++17", "main.cpp")]
    public void One_header_gives_the_bytes_aligned(string compiler, string standard, string main) =>
        CompileAndRun(CArrayStyle.XxdHeader, compiler, standard, main, alignment: 8);

    private static void CompileAndRun(CArrayStyle style, string compiler, string standard, string main, int alignment)
    {
        string folder = Directory.CreateTempSubdirectory("optc-carray").FullName;
        try
        {
            foreach (Artifact file in CArrayBackend.Emit(Content.Length, s => s.Write(Content), new("kws_model", style)).Files)
            {
                File.WriteAllBytes(Path.Combine(folder, file.Name), file.ToArray());
            }

            File.WriteAllText(Path.Combine(folder, main),
                $$"""
                #include "kws_model.h"
                #include <stdio.h>
                #include <stddef.h>
                int main(void) {
                  size_t i;
                  if (kws_model_len != sizeof(kws_model) || (size_t)kws_model % {{alignment}} != 0) return 1;
                  for (i = 0; i < kws_model_len; i++) printf("%02x", kws_model[i]);
                  return 0;
                }

                """);
            string[] sources = style is CArrayStyle.HeaderAndSource ? [main, "kws_model.c"] : [main];
            Run(folder, compiler, [standard, "-Wall", "-Wextra", "-Werror", .. sources, "-o", "program"]);
            string printed = Run(folder, Path.Combine(folder, "program"), []);

            Assert.Equal(Convert.ToHexStringLower(Content), printed);
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
