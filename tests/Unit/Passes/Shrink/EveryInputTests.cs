using System.Globalization;
using Optc.Ir;
using Optc.Ops.Bounds;
using Optc.Ops.Kernels;
using Optc.Passes.Shrink;
using Optc.Runtime;
using Optc.Tests.Fuzzing;
using Xunit;

namespace Optc.Tests.Unit.Passes.Shrink;

/// <summary>Small random models, of which all inputs are run: what is shrunk gives what it gave, and what can be found is.</summary>
public sealed class EveryInputTests
{
    [Theory]
    [InlineData(0, 150)]
    [InlineData(1000, 150)]
    public void Dense_models_give_the_same_for_every_input(int seed, int count) =>
        Same(Enumerable.Range(seed, count).Select(s => SmallModel.Dense(s, inputs: 1)), ShrinkRules.All);

    [Theory]
    [InlineData(0, 150)]
    [InlineData(1000, 150)]
    public void Convolutions_give_the_same_for_every_input(int seed, int count) =>
        Same(Enumerable.Range(seed, count).Select(s => SmallModel.Image(s, pixels: 1)), ShrinkRules.All);

    /// <summary>Two elements, without enumeration: the intervals themselves are put to the test.</summary>
    [Theory]
    [InlineData(0, 6)]
    [InlineData(1000, 6)]
    public void Intervals_hold_for_every_pair(int seed, int count)
    {
        ShrinkRules rules = ShrinkRules.All & ~ShrinkRules.Enumeration;
        Same(Enumerable.Range(seed, count).Select(s => SmallModel.Dense(s, inputs: 2)), rules);
        Same(Enumerable.Range(seed, count).Select(s => SmallModel.Image(s, pixels: 2)), rules);
    }

    /// <summary>Each rule alone is exact too.</summary>
    [Theory]
    [InlineData(ShrinkRules.Unread)]
    [InlineData(ShrinkRules.Dead)]
    [InlineData(ShrinkRules.Fold)]
    [InlineData(ShrinkRules.FoldPadded)]
    [InlineData(ShrinkRules.Unread | ShrinkRules.Duplicate)]
    [InlineData(ShrinkRules.Clamp)]
    [InlineData(ShrinkRules.Reshape)]
    public void Every_rule_alone_is_exact(ShrinkRules rules)
    {
        int changed = Same(Enumerable.Range(5000, 60).Select(s => SmallModel.Image(s, pixels: 1)), rules);

        Assert.NotEqual(0, changed);
    }

    /// <summary>What never changes, whatever the input, is found by running all inputs, if all roundings agree on it.</summary>
    [Fact]
    public void Enumeration_finds_what_never_changes()
    {
        int constant = 0;
        int kept = 0;
        int alone = 0;
        for (int seed = 0; seed < 200; seed++)
        {
            Module module = SmallModel.Dense(seed, inputs: 1);
            (_, ShrinkRecord record, bool isEnumeration) = Shrinking.Apply(module, ShrinkRules.All);
            Assert.True(isEnumeration);
            HashSet<(string, int)> dropped = [.. record.Channels.SelectMany(c => c.Dropped.Select(d => (c.Value, d.Channel)))];
            foreach (IGrouping<string, (string Value, int Channel)> tensor in Constants(module).GroupBy(c => c.Value))
            {
                int width = module.Main.Nodes[int.Parse(tensor.Key[2..^2], CultureInfo.InvariantCulture)].Output.Type.Shape[-1];
                constant += tensor.Count();
                int stays = tensor.Count(c => !dropped.Contains(c));
                alone += stays == 1 && tensor.Count() == width ? 1 : 0;
                kept += stays;
            }
        }

        // Of a tensor one channel stays in any case, and the third rounding may see a change that the two of the interpreter do not.
        Assert.True(constant > 500, $"{constant}");
        Assert.True((kept - alone) * 10 < constant, $"{kept} of {constant} constant channels stay, {alone} as the last of their tensors");
    }

    /// <summary>Rounding matters: what is constant under one rounding need not be under another.</summary>
    [Fact]
    public void A_proof_for_one_rounding_is_none_for_another()
    {
        int different = 0;
        for (int seed = 0; seed < 400; seed++)
        {
            Module module = SmallModel.Dense(seed, inputs: 1);
            (Module small, _, _) = Shrinking.Apply(module, ShrinkRules.All, Roundings.Double);
            Assert.True(Agree(module, small, RoundingProfile.Tflm));
            different += Agree(module, small, RoundingProfile.Xnnpack) ? 0 : 1;
        }

        Assert.NotEqual(0, different);
    }

    private static int Same(IEnumerable<Module> models, ShrinkRules rules)
    {
        int changed = 0;
        foreach (Module module in models)
        {
            (Module small, ShrinkRecord record, _) = Shrinking.Apply(module, rules);

            SameOutputs.OnEveryInput(module, small);
            (Module again, ShrinkRecord second, _) = Shrinking.Apply(small, rules);
            Assert.Empty(second.Channels);
            Assert.Empty(second.Removed);
            Assert.Equal(small.Main.Nodes.Count, again.Main.Nodes.Count);
            changed += record.Channels.IsEmpty && record.Removed.IsEmpty && record.Operators.All(o => o.Changes.IsEmpty) ? 0 : 1;
        }

        return changed;
    }

    private static bool Agree(Module a, Module b, RoundingProfile profile)
    {
        using Interpreter first = new(a, options: new() { Rounding = profile });
        using Interpreter second = new(b, options: new() { Rounding = profile });
        for (int x = 0; x < 256; x++)
        {
            first.Input(0)[0] = (byte)x;
            second.Input(0)[0] = (byte)x;
            first.Run();
            second.Run();
            if (!first.Output(0).SequenceEqual(second.Output(0)))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Elements of hidden layers that are the same for all inputs and both roundings.</summary>
    private static IEnumerable<(string Value, int Channel)> Constants(Module module)
    {
        Dictionary<(int Node, int Channel), int?> values = [];
        foreach (RoundingProfile profile in Enum.GetValues<RoundingProfile>())
        {
            using Interpreter interpreter = new(module, options: new() { Rounding = profile, KeepIntermediates = true });
            for (int x = 0; x < 256; x++)
            {
                interpreter.Input(0)[0] = (byte)x;
                interpreter.Run();
                for (int n = 0; n < module.Main.Nodes.Count - 1; n++)
                {
                    ReadOnlySpan<byte> bytes = interpreter.Bytes(module.Main.Nodes[n].Output);
                    for (int c = 0; c < bytes.Length; c++)
                    {
                        values[(n, c)] = values.TryGetValue((n, c), out int? known) && known != bytes[c] ? null : bytes[c];
                    }
                }
            }
        }

        return values.Where(v => v.Value is not null).Select(v => ($"op{v.Key.Node}:0", v.Key.Channel));
    }
}
