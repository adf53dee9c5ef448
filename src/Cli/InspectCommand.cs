using System.Collections.Immutable;
using System.CommandLine;
using Optc.Cli.CommandLine;
using Optc.Cli.Output;
using Optc.Report;

namespace Optc.Cli;

internal sealed class InspectCommand : Verb
{
    private readonly Argument<string> _model = SharedOptions.Model();
    private readonly Option<bool> _all = new("--all", "-a") { Description = "Show every row of long tables." };

    public InspectCommand(Terminal terminal)
        : base("inspect", "Show what a model is made of: interfaces, operators, memory, weights, and where the bytes of its file went.", terminal)
    {
        Arguments.Add(_model);
        Options.Add(_all);
    }

    public override ImmutableArray<Example> Examples { get; } =
    [
        new("one screen", "optc inspect kws.tflite"),
        new("every weight, for a script", "optc inspect kws.tflite --json"),
    ];

    protected override int Run(ParseResult arguments, CancellationToken cancellation)
    {
        Inspection inspection = Model.Load(arguments.GetRequiredValue(_model)).Inspect();
        Terminal.WriteJson(() => ReportJson.Of(inspection));
        Terminal.Write(InspectionText.Of(inspection, arguments.GetValue(_all)));
        return ExitCode.Success;
    }
}
