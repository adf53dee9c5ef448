using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>An op with what its type declares.</summary>
public sealed record OpEntry
{
    private OpEntry(Type type, OpSchema schema, Func<AttributeReader, IOp> parse) => (Type, Schema, Parse) = (type, schema, parse);

    public Type Type { get; }

    public OpSchema Schema { get; }

    /// <summary>Makes the op from its printed attributes.</summary>
    public Func<AttributeReader, IOp> Parse { get; }

    /// <summary>The builtin operator of <c>.tflite</c>, if there is one.</summary>
    public BuiltinOperator? TfLiteCode { get; private init; }

    /// <summary>The newest version of that operator whose meaning the op covers.</summary>
    public int TfLiteMaximumVersion { get; private init; }

    public Func<TfLiteSource, IOp>? ReadTfLite { get; private init; }

    /// <summary>An op that exists in the graph only.</summary>
    public static OpEntry Of<TOp>()
        where TOp : IOp<TOp> => new(typeof(TOp), TOp.Declaration, static a => TOp.Parse(a));

    /// <summary>An op that <c>.tflite</c> has too.</summary>
    public static OpEntry TfLite<TOp>()
        where TOp : IOp<TOp>, ITfLiteOp<TOp> => new(typeof(TOp), TOp.Declaration, static a => TOp.Parse(a))
        {
            TfLiteCode = TOp.Code,
            TfLiteMaximumVersion = TOp.MaximumVersion,
            ReadTfLite = static source => TOp.Read(source),
        };
}
