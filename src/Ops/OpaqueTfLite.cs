using System.Collections.Immutable;
using System.Globalization;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;

namespace Optc.Ops;

/// <summary>An operator of a <c>.tflite</c> file that optc does not know, or not in this version: carried, never interpreted.</summary>
/// <param name="Code">Builtin operator; <see cref="BuiltinOperator.Custom"/> for custom ones.</param>
/// <param name="CustomName">Name of a custom operator, else empty.</param>
/// <param name="Version">Version as the file has it; kept.</param>
/// <param name="Reason">Why it is not interpreted; empty when optc does not know the operator at all.</param>
/// <remarks>The operator's record, with options of any kind, travels in <see cref="Node.Foreign"/>.</remarks>
public sealed record OpaqueTfLite(BuiltinOperator Code, string CustomName, int Version, string Reason = "") : IOp<OpaqueTfLite>
{
    public static OpSchema Declaration { get; } = new("opaque_tflite", ["x*"], ["y*"]) { HasSideEffects = true };

    /// <summary>The custom name, or name and version of the builtin operator.</summary>
    public string Title => CustomName.Length > 0 ? CustomName : string.Create(CultureInfo.InvariantCulture, $"{Code} version {Version}");

    public static OpaqueTfLite Parse(AttributeReader attributes) => new(
        (BuiltinOperator)attributes.Int("code"), attributes.String("custom"), attributes.Int("version"), attributes.String("reason"));

    public void Describe(AttributeWriter attributes) =>
        attributes.Add("code", (int)Code).Add("custom", CustomName).Add("version", Version).Add("reason", Reason);

    /// <summary>What the file declares: nothing else is known.</summary>
    public ImmutableArray<TensorType> InferTypes(OpOperands operands) =>
        [.. operands.Declared.Select(t => t with { Quant = null })];
}
