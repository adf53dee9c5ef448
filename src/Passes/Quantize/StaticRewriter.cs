using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Execution;
using Optc.Ops.Quantization;
using QuantizeOp = Optc.Ops.Quantize;

namespace Optc.Passes.Quantize;

/// <summary>Builds the integer copy of the main graph of a module.</summary>
internal sealed class StaticRewriter
{
    private readonly Module _module;
    private readonly Graph _source;
    private readonly QuantizationRecipe _recipe;
    private readonly ScalePlan _scales;
    private readonly GraphBuilder _builder;
    private readonly ValueForms _forms;
    private readonly Dictionary<Node, Node> _origins = [];
    private readonly List<LayerReport> _layers = [];
    private readonly List<ActivationReport> _activations = [];

    public StaticRewriter(Module module, QuantizationRecipe recipe, ScalePlan scales)
    {
        (_module, _source, _recipe, _scales) = (module, module.Main, recipe, scales);
        _builder = new(_source.Name, module.FindGraph);
        _forms = new(_builder, _source, recipe.OutputType, scales);
    }

    /// <summary>The nodes of the copy that stand for nodes of the source.</summary>
    public IReadOnlyDictionary<Node, Node> Origins => _origins;

    /// <exception cref="LayerRefusal">A layer cannot be executed with the grids that it got.</exception>
    public (Module Module, QuantizationReport Report) Rewrite(ImmutableArray<LayerPlan> plans)
    {
        foreach (Value input in _source.Inputs)
        {
            _forms.Define(input, _builder.Input(input.Name, InterfaceType(input), input.Foreign));
        }

        foreach (LayerPlan plan in plans)
        {
            ImmutableArray<ConstantReport> constants = [];
            if (plan.IsQuantized)
            {
                constants = AddInteger(plan);
            }
            else if (!TryConvert(plan.Node))
            {
                AddUnchanged(plan.Node);
            }

            _layers.Add(new(plan.Node.Name, plan.Node.Op.Title, plan.Status, plan.Reason, plan.Activations, constants));
        }

        foreach (Value output in _source.Outputs)
        {
            _builder.Output(_forms.AsOutput(output));
        }

        Graph graph = _builder.Build(_source.Foreign);
        return (Assemble(graph), new(_recipe.Name, [.. _layers, .. OtherGraphs()], [.. _activations], _forms.Conversions));
    }

    private Module Assemble(Graph graph)
    {
        Value Output(Value old) => graph.Outputs[IndexOf(_source.Outputs, old)];
        Value Input(Value old) => graph.Inputs[IndexOf(_source.Inputs, old)];
        return GraphBuilder.Module(
            [graph, .. _module.Graphs.Skip(1)],
            [
                .. _module.Signatures.Select(s => s.Graph != _source
                    ? s
                    : new Signature(
                        s.Key,
                        graph,
                        [.. s.Inputs.Select(i => (i.Name, Input(i.Value)))],
                        [.. s.Outputs.Select(o => (o.Name, Output(o.Value)))])),
            ],
            _module.Metadata,
            _module.Description,
            _module.Foreign);
    }

    private IEnumerable<LayerReport> OtherGraphs() => _module.Graphs.Skip(1).SelectMany(g => g.Nodes.Select(n =>
        n.Inputs.Concat(n.Outputs).Any(v => v is { Type.DType: DType.F32 })
            ? new LayerReport(n.Name, n.Op.Title, LayerStatus.Float, $"stands in the graph '{g.Name}'; only the main graph is quantized", DType.F32, [])
            : new LayerReport(n.Name, n.Op.Title, LayerStatus.Untouched, "has no float operand", DType.F32, [])));

    private static int IndexOf(IReadOnlyList<Value> values, Value value)
    {
        for (int i = 0; i < values.Count; i++)
        {
            if (values[i] == value)
            {
                return i;
            }
        }

        return -1;
    }

    private TensorType InterfaceType(Value input)
    {
        if (input.Type.DType is not DType.F32 || _recipe.InputType is DType.F32)
        {
            return input.Type;
        }

        Record(input, _recipe.InputType is DType.U8 ? DType.I8 : _recipe.InputType);
        return new(_recipe.InputType, input.Type.Shape, _forms.InterfaceGrid(input, _recipe.InputType));
    }

    private void Record(Value value, DType type)
    {
        ValueRange range = _scales.RangeOf(value, type);
        _activations.Add(new(value.Name, type, range.IsEmpty ? 0 : range.Low, range.IsEmpty ? 0 : range.High, _scales.Of(value, type)));
    }

    /// <summary>Conversions of the source graph dissolve: who reads their results reads the integers themselves.</summary>
    private bool TryConvert(Node node)
    {
        Value result = node.Outputs[0];
        switch (node.Op)
        {
            case Dequantize when FloatConstants.IsConstant(result):
                return true;
            case Dequantize when ScalePlan.Source(node) is not null:
                _forms.Define(result, _forms.Native(node.Inputs[0]!));
                return true;
            case QuantizeOp when ScalePlan.Target(node) is { } target:
                Value integers = _forms.AsIntegers(node.Inputs[0]!, target.Type, target.Grid);
                if (_source.IsOutput(result) && integers.Name != result.Name)
                {
                    return false;
                }

                _forms.Define(result, integers);
                return true;
            default:
                return false;
        }
    }

    private void AddUnchanged(Node node)
    {
        bool readsShapes = node.Op is IDependsOnShapesOnly && !node.Outputs.Any(o => o.Type.DType is DType.F32);
        ImmutableArray<Value?> inputs =
        [
            .. node.Inputs.Select(v => v is null ? null : readsShapes ? _forms.Native(v) : _forms.AsSource(v)),
        ];
        Add(node, node.Op, inputs, [.. node.Outputs.Select(o => o.Type)]);
    }

    private void Add(Node node, IOp op, ImmutableArray<Value?> inputs, ImmutableArray<TensorType> types)
    {
        ImmutableArray<Value> outputs = [.. node.Outputs.Zip(types, _forms.Result)];
        Node added = _builder.Add(op, inputs, outputs, node.Name, node.Foreign);
        _origins.Add(added, node);
        for (int i = 0; i < outputs.Length; i++)
        {
            _forms.Define(node.Outputs[i], outputs[i]);
        }
    }

    private ImmutableArray<ConstantReport> AddInteger(LayerPlan plan)
    {
        (Node node, QuantRule rule, DType type) = (plan.Node, plan.Rule!, plan.Activations);
        OperandQuantizer operands = new(plan, _recipe, _scales, _forms);
        ImmutableArray<Value?> inputs = [.. Enumerable.Range(0, node.Inputs.Length).Select(operands.Quantize)];
        ImmutableArray<TensorType> types =
        [
            .. node.Outputs.Select((o, i) => rule.Outputs[i] is AsIsRule
                ? o.Type
                : new TensorType(type, o.Type.Shape, _scales.Of(o, type))),
        ];
        IOp op = Adapt(node.Op, type);
        try
        {
            op.InferTypes(new([.. inputs.Select(v => v?.Type)], [.. inputs.Select(v => v?.Constant)], types, _module.FindGraph));
        }
        catch (OpRuleException problem)
        {
            throw new LayerRefusal(node, LayerPlanner.TextOf(problem));
        }

        Add(node, op, inputs, types);
        for (int i = 0; i < node.Outputs.Length; i++)
        {
            if (rule.Outputs[i] is not AsIsRule)
            {
                Record(node.Outputs[i], type);
            }
        }

        return operands.Report;
    }

    /// <summary>The op with the options that 16-bit activations need.</summary>
    private IOp Adapt(IOp op, DType type) => (op, type) switch
    {
        (Add sum, DType.I16) => sum with { PotScaleInt16 = false },
        (Sub difference, DType.I16) => difference with { PotScaleInt16 = false },
        (Conv2D convolution, DType.I16) => convolution with { BiasType = NarrowBias },
        (FullyConnected dense, DType.I16) => dense with { BiasType = NarrowBias },
        _ => op,
    };

    private DType? NarrowBias => _recipe.BiasOfInt16 is DType.I32 ? DType.I32 : null;
}
