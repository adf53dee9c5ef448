using Optc.Backends.TfLite;
using Optc.Backends.TfLiteMicro;
using Optc.Ir;
using Optc.Ops.Bounds;
using Optc.Passes.Shrink;
using Optc.Report;
using Optc.Shrink;

namespace Optc;

public sealed partial class Model
{
    /// <summary>A smaller file of a quantized model that gives the same outputs for every input; of a float model its container and operators shrink.</summary>
    /// <remarks>
    /// The smallest of three files is taken: written anew, without operators that do nothing, and without channels that no output depends on
    /// (fewer channels can take more bytes, see <see cref="ShrinkOptions.PreferMacs"/>). What is as small as it can be stays as it is.
    /// </remarks>
    /// <exception cref="DiagnosticException">Operators have no encoding in <c>.tflite</c>.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public ShrinkResult Shrink(ShrinkOptions? how = null, CancellationToken cancellation = default)
    {
        how ??= new();
        ReadOnlyMemory<byte> original = Source.IsEmpty ? ToTfLite() : Source;
        ShrinkCandidate[] candidates =
        [
            Candidate("container", ShrinkRules.None, how, cancellation),
            .. how.Rules == ShrinkRules.None ? [] : new[] { Candidate("operators", how.Rules & ~ShrinkRules.Channels, how, cancellation) },
            .. (how.Rules & ShrinkRules.Channels) == 0 ? [] : new[] { Candidate("channels", how.Rules, how, cancellation) },
        ];

        // Of equal ones the last has least to compute.
        ShrinkCandidate best = how.PreferMacs
            ? candidates.Reverse().OrderBy(c => c.Macs).ThenBy(c => c.File.Length).First()
            : candidates.Reverse().OrderBy(c => c.File.Length).First();
        bool isSmaller = best.File.Length < original.Length || (how.PreferMacs && best.Macs < candidates[0].Macs);
        if (!isSmaller)
        {
            best = candidates[0] with { File = original.ToArray() };
        }

        Model model = isSmaller ? Read(best.File, Name).WrittenAs(how.Writing) : this;
        string method = best.IsEnumeration ? "enumeration" : "intervals";
        return new()
        {
            Model = model,
            File = best.File,
            Original = original,
            Record = best.Record,
            Steps = isSmaller
                ? ShrinkSteps.Of(Module.Main, model.Module.Main, best.Record, original.Length - candidates[0].File.Length)
                : [],
            Certificate = CertificateWriter.Of(Module, best.Record, how.Roundings, method, how.Writing.Target is TfLiteTarget.Micro ? "mcu" : "portable", original.Span, best.File),
            Target = how.Writing.Target,
            Method = method,
            IsFloat = !Module.Main.Nodes.Any(n => n.Op is ISumsProducts && n.Inputs[0]!.Type.DType.IsInteger),
            Weights = (WeightCount(Module), WeightCount(model.Module)),
            Macs = (MultiplyAccumulates.Of(Module.Main), MultiplyAccumulates.Of(model.Module.Main)),
            Arena = (ArenaEstimate.Of(Module).Total, ArenaEstimate.Of(model.Module).Total),
        };
    }

    private static long WeightCount(Module module) => module.Graphs.SelectMany(g => g.Nodes)
        .Where(n => n.Op is ISumsProducts)
        .Sum(n => n.Inputs[1]!.Constant?.Shape.ElementCount ?? 0);

    private ShrinkCandidate Candidate(string name, ShrinkRules rules, ShrinkOptions how, CancellationToken cancellation)
    {
        (Module module, ShrinkRecord record, bool isEnumeration) = Located(() => Shrinking.Apply(Module, rules, how.Roundings, cancellation));
        Model model = With(module).WrittenAs(how.Writing);
        return new(name, model, model.ToTfLite(), record, isEnumeration, WeightCount(module), MultiplyAccumulates.Of(module.Main));
    }
}
