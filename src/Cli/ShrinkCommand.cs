using System.Collections.Immutable;
using System.CommandLine;
using Optc.Backends.TfLite;
using Optc.Cli.CommandLine;
using Optc.Cli.Output;
using Optc.Ir;
using Optc.Passes.Shrink;
using Optc.Shrink;

namespace Optc.Cli;

internal sealed class ShrinkCommand : Verb
{
    private const string Micro = "mcu";

    private static readonly ImmutableArray<(string Name, ShrinkRules Rule)> Rules =
    [
        ("unread", ShrinkRules.Unread),
        ("dead", ShrinkRules.Dead),
        ("fold", ShrinkRules.Fold),
        ("fold-padded", ShrinkRules.FoldPadded),
        ("duplicate", ShrinkRules.Duplicate),
        ("clamp", ShrinkRules.Clamp),
        ("pad", ShrinkRules.Pad),
        ("reshape", ShrinkRules.Reshape),
        ("quantize", ShrinkRules.Quantize),
        ("merge", ShrinkRules.Merge),
        ("unused", ShrinkRules.Unused),
        ("enumeration", ShrinkRules.Enumeration),
    ];

    private readonly Argument<string> _model = SharedOptions.Model(description: "Quantized model to make smaller: a .tflite file.");
    private readonly Option<string> _output = SharedOptions.Output("File to write: .tflite, .c (with its header) or .h.");
    private readonly Option<bool> _force = SharedOptions.Force();

    private readonly Option<string> _profile = new Option<string>("--profile")
    {
        HelpName = "portable|mcu",
        Description = "Who is to load the file: every runtime, or TensorFlow Lite Micro only, which needs less of it; LiteRT refuses such a file.",
        DefaultValueFactory = _ => "portable",
    }.OneOf("portable", Micro);

    private readonly Option<string> _names = new Option<string>("--names")
    {
        HelpName = "interface|all",
        Description = "Names of tensors to keep: those of inputs, outputs and signatures, or all.",
        DefaultValueFactory = _ => "interface",
    }.OneOf("interface", "all");

    private readonly Option<string?> _only = new Option<string?>("--only")
    {
        HelpName = "container",
        Description = "Only write the file anew: operators and channels stay.",
    }.OneOf("container");

    private readonly Option<string[]> _keep = new("--keep")
    {
        HelpName = "RULE",
        Description = $"A rule that is not to be used: {string.Join(", ", Rules.Select(r => r.Name))}. May be repeated.",
    };

    private readonly Option<string> _prefer = new Option<string>("--prefer")
    {
        HelpName = "bytes|macs",
        Description = "What counts where fewer channels take more bytes.",
        DefaultValueFactory = _ => "bytes",
    }.OneOf("bytes", "macs");

    private readonly Option<string?> _certificate = new("--certificate")
    {
        HelpName = "FILE",
        Description = "Also write the evidence for each removal as JSON, by which it can be checked.",
    };

    public ShrinkCommand(Terminal terminal)
        : base("shrink", "Make a quantized model smaller that gives the same outputs for every possible input, and prove it.", terminal)
    {
        Arguments.Add(_model);
        foreach (Option option in (ReadOnlySpan<Option>)[_output, _profile, _only, _keep, _names, _prefer, _certificate, _force])
        {
            Options.Add(option);
        }
    }

    public override ImmutableArray<Example> Examples { get; } =
    [
        new("everything that changes no output", "optc shrink kws.tflite -o kws-small.tflite"),
        new("with the evidence", "optc shrink kws.tflite -o kws-small.tflite --certificate kws-small.json"),
        new("for TensorFlow Lite Micro alone", "optc shrink kws.tflite -o kws-mcu.tflite --profile mcu"),
        new("only the container", "optc shrink kws.tflite -o kws-small.tflite --only container"),
        new("biases stay as they are", "optc shrink kws.tflite -o kws-small.tflite --keep fold --keep fold-padded"),
    ];

    protected override int Run(ParseResult arguments, CancellationToken cancellation)
    {
        string path = arguments.GetRequiredValue(_model);
        ModelFile output = new(arguments.GetRequiredValue(_output));
        string? certificate = arguments.GetValue(_certificate);
        PlannedFiles files = new([.. output.Paths, .. certificate is null ? [] : new[] { certificate }], arguments.GetValue(_force), path);
        ShrinkOptions how = new()
        {
            Rules = arguments.GetValue(_only) is null ? ShrinkRules.All & ~Kept(arguments.GetValue(_keep) ?? []) : ShrinkRules.None,
            Writing = new(
                arguments.GetRequiredValue(_names) is "all" ? TfLiteNames.All : TfLiteNames.Interface,
                arguments.GetRequiredValue(_profile) is Micro ? TfLiteTarget.Micro : TfLiteTarget.Portable),
            PreferMacs = arguments.GetRequiredValue(_prefer) is "macs",
        };

        ShrinkResult result = Model.Load(path).Shrink(how, cancellation);
        files.Write([.. output.Contents(result.File), .. certificate is null ? [] : new Action<Stream>[] { stream => stream.Write(result.Certificate.Span) }]);
        new ShrinkView(path, files.Paths, result).Print(Terminal);
        return ExitCode.Success;
    }

    private static ShrinkRules Kept(string[] names)
    {
        ShrinkRules kept = ShrinkRules.None;
        foreach (string name in names)
        {
            (_, ShrinkRules rule) = Rules.FirstOrDefault(r => r.Name == name);
            kept |= rule is not ShrinkRules.None ? rule : throw new DiagnosticException(new Diagnostic(DiagnosticId.InvalidOption, "--keep names no rule")
            {
                Found = $"'{name}'",
                Expected = string.Join(", ", Rules.Select(r => r.Name)),
            });
        }

        return kept;
    }
}
