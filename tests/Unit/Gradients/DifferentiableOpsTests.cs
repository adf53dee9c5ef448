using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Gradients;
using Xunit;

namespace Optc.Tests.Unit.Gradients;

/// <summary>Every op that computes floats has a gradient, or stands here with the reason why not.</summary>
public class DifferentiableOpsTests
{
    private const string NoFloatResult = "its result is no float";
    private const string Integers = "leads to or from integers, which carry no gradient; FAKE_QUANT stands for both in training";
    private const string Calls = "calls other graphs; gradients are built within one graph";
    private const string State = "reads or writes state that outlives the run, so that gradients would end at the last step anyway";

    private static readonly Dictionary<string, string> WithoutGradient = new()
    {
        ["arg_max"] = NoFloatResult,
        ["arg_min"] = NoFloatResult,
        ["equal"] = NoFloatResult,
        ["greater"] = NoFloatResult,
        ["greater_equal"] = NoFloatResult,
        ["less"] = NoFloatResult,
        ["less_equal"] = NoFloatResult,
        ["not_equal"] = NoFloatResult,
        ["rank"] = NoFloatResult,
        ["shape"] = NoFloatResult,
        ["where"] = NoFloatResult,
        ["dequantize"] = Integers,
        ["quantize"] = Integers,
        ["call_once"] = Calls,
        ["if"] = Calls,
        ["while"] = Calls,
        ["adam_update"] = State,
        ["assign_variable"] = State,
        ["read_variable"] = State,
        ["var_handle"] = State,
        ["svdf"] = State,
        ["densify"] = "expands constants only",
        ["range"] = "the number of its results depends on its operands",
        ["opaque_tflite"] = "optc does not know what it computes",
    };

    /// <summary>Ops of a sequence are differentiated by way of their steps.</summary>
    private static bool HasGradient(OpEntry op) => op.Type.IsAssignableTo(typeof(IDifferentiable)) || op.Type.IsAssignableTo(typeof(IUnrollable));

    /// <summary>Second derivatives are not built.</summary>
    private static bool IsAdjoint(OpEntry op) => op.Schema.Name.EndsWith("_gradient", StringComparison.Ordinal);

    [Fact]
    public void Float_ops_without_gradient_are_listed_with_a_reason() => Assert.Empty(OpSet.All
        .Where(op => (op.Schema.Kernels & KernelTypes.F32) != 0 && !HasGradient(op) && !IsAdjoint(op))
        .Select(op => op.Schema.Name)
        .Except(WithoutGradient.Keys));

    [Fact]
    public void Ops_that_are_listed_exist_and_have_no_gradient() =>
        Assert.Empty(WithoutGradient.Keys.Except(OpSet.All.Where(op => !HasGradient(op)).Select(op => op.Schema.Name)));

    /// <summary>A rule that no test of differences covers could be wrong; DROPOUT, which is random, has its own tests.</summary>
    [Fact]
    public void Every_rule_can_be_compared_with_differences() => Assert.Equal(
        ["dropout"],
        OpSet.All
            .Where(op => op.Type.IsAssignableTo(typeof(IDifferentiable)) && !DoubleReference.Knows(op.Type))
            .Select(op => op.Schema.Name));
}
