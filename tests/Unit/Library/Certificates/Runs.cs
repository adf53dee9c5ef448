using Optc.Ir;
using Optc.Ops.Kernels;
using Optc.Runtime;

namespace Optc.Tests.Unit.Library.Certificates;

/// <summary>Runs files on seeded inputs.</summary>
internal static class Runs
{
    /// <summary>Instead of a number of samples: every value of the first byte of the input.</summary>
    public const int AllBytes = -1;

    /// <summary>An inner value, by name, on one random input.</summary>
    public static sbyte[] Value(byte[] file, string name, int seed)
    {
        Model model = Model.Read(file);
        using Interpreter interpreter = new(model.Module, options: new() { KeepIntermediates = true });
        new Random(seed).NextBytes(interpreter.Input(0));
        interpreter.Run();
        Value value = model.Module.Main.Nodes.SelectMany(n => n.Outputs).Single(v => v.Name == name);
        return Array.ConvertAll(interpreter.Bytes(value).ToArray(), b => (sbyte)b);
    }

    /// <summary>All outputs on inputs of random bytes, one after another, in every rounding that the interpreter has.</summary>
    public static byte[] Outputs(byte[] file, int samples)
    {
        List<byte> bytes = [];
        Module module = Model.Read(file).Module;
        foreach (RoundingProfile rounding in Enum.GetValues<RoundingProfile>())
        {
            using Interpreter interpreter = new(module, options: new() { Rounding = rounding });
            for (int seed = 0; seed < (samples == AllBytes ? 256 : samples); seed++)
            {
                Random random = new(seed);
                for (int i = 0; i < interpreter.InputCount; i++)
                {
                    random.NextBytes(interpreter.Input(i));
                }

                if (samples == AllBytes)
                {
                    interpreter.Input(0)[0] = (byte)seed;
                }

                interpreter.Run();
                for (int i = 0; i < interpreter.OutputCount; i++)
                {
                    bytes.AddRange(interpreter.Output(i));
                }
            }
        }

        return [.. bytes];
    }
}
