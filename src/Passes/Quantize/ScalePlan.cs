using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Quantization;
using QuantizeOp = Optc.Ops.Quantize;

namespace Optc.Passes.Quantize;

/// <summary>The grid of every activation and of every operand of an integer layer.</summary>
/// <remarks>
/// <para>
/// Places are what can have a grid: a value in a type (8 or 16 bits), and an operand of a layer. Rules of ops tie places of one
/// layer for good: they are one group. A value and the operand that reads it are united only if that costs nothing that
/// matters; else they keep grids of their own and a QUANTIZE stands between them.
/// </para>
/// <para>
/// Uniting is refused when both grids are fixed and differ; when one is fixed and the range of the other does not fit
/// into it; and when it would make the grid of a value that several layers read more than twice as coarse.
/// </para>
/// </remarks>
internal sealed class ScalePlan
{
    private const double TolerableWidening = 2;

    private readonly List<Group> _groups = [];
    private readonly List<int> _parents = [];
    private readonly Dictionary<(Value Value, DType Type), int> _values = [];
    private readonly Dictionary<(Node Node, int Operand), int> _operands = [];
    private readonly Graph _graph;
    private readonly Func<Value, DType, ValueRange> _rangeOf;

    /// <param name="plans">In order of execution.</param>
    /// <param name="rangeOf">Range of an activation or constant for a grid of a type.</param>
    public ScalePlan(Graph graph, ImmutableArray<LayerPlan> plans, QuantizationRecipe recipe, Func<Value, DType, ValueRange> rangeOf)
    {
        (_graph, _rangeOf) = (graph, rangeOf);
        foreach (LayerPlan plan in plans)
        {
            Tie(plan);
        }

        foreach (LayerPlan plan in plans)
        {
            Link(plan);
        }

        Reserve(graph.Inputs, recipe.InputType);
        Reserve(graph.Outputs, recipe.OutputType);
    }

    /// <summary>True when some place asked for this value in this type.</summary>
    public bool Has(Value value, DType type) => _values.ContainsKey((value, type));

    /// <summary>Grid of a value in a type.</summary>
    public QuantParams Of(Value value, DType type) => _groups[Root(_values[(value, type)])].Grid;

    /// <summary>Grid in which a layer reads an operand.</summary>
    public QuantParams OfOperand(Node node, int operand) => _groups[Root(_operands[(node, operand)])].Grid;

    /// <summary>Range that the grid of a value in a type was made for.</summary>
    public ValueRange RangeOf(Value value, DType type) => _groups[Root(_values[(value, type)])].Range;

    /// <summary>Every value that has a grid, with the number of the group that shares it.</summary>
    public ImmutableArray<ActivationGrid> Activations =>
    [
        .. _values.Select(v => (v.Key, Root: Root(v.Value))).Select(v => new ActivationGrid(
            v.Key.Value.Name, v.Root, v.Key.Type, _groups[v.Root].Grid, _groups[v.Root].Fixed is not null)),
    ];

    private static bool HasGrid(OperandRule rule) => rule is ActivationRule or SharedRule or FixedRule;

    private void Tie(LayerPlan plan)
    {
        Node node = plan.Node;
        switch (node.Op)
        {
            case QuantizeOp when Target(node) is { } target:
                AddOperand(node, 0, new(target.Type) { Fixed = target.Grid, IsClipping = true });
                break;
            case Dequantize when Source(node) is { } source:
                AddValue(node.Outputs[0], source.Type, new(source.Type) { Fixed = source.Grid, Range = AffineGrid.RangeOf(source.Type, source.Grid) });
                break;
        }

        if (!plan.IsQuantized)
        {
            return;
        }

        DType type = plan.Activations;
        for (int i = 0; i < Math.Min(plan.Rule!.Inputs.Length, node.Inputs.Length); i++)
        {
            if (node.Inputs[i] is { } operand && plan.Rule.Inputs[i] is var rule && (HasGrid(rule) || rule is WideRule))
            {
                DType own = rule is WideRule ? DType.I16 : type;
                AddOperand(node, i, new(own) { Range = _rangeOf(operand, own), Fixed = FixedBy(rule, type) });
            }
        }

        for (int i = 0; i < plan.Rule.Inputs.Length; i++)
        {
            if (plan.Rule.Inputs[i] is SharedRule shared && _operands.TryGetValue((node, i), out int place))
            {
                Unite(place, _operands[(node, shared.Input)]);
            }
        }

        for (int i = 0; i < node.Outputs.Length; i++)
        {
            if (plan.Rule.Outputs[i] is var rule && HasGrid(rule))
            {
                Value output = node.Outputs[i];
                int place = AddValue(output, type, new(type) { Range = _rangeOf(output, type), Fixed = FixedBy(rule, type), IsRead = IsReadOften(output) });
                if (rule is SharedRule shared)
                {
                    Unite(place, _operands[(node, shared.Input)]);
                }
            }
        }
    }

    private void Link(LayerPlan plan)
    {
        for (int i = 0; i < plan.Node.Inputs.Length; i++)
        {
            if (!_operands.TryGetValue((plan.Node, i), out int place)
                || plan.Node.Inputs[i] is not { IsVariable: false } value
                || FloatConstants.Of(value) is not null)
            {
                continue;
            }

            int source = Place(value, _groups[Root(place)].Type);
            if (Root(source) != Root(place) && CanUnite(_groups[Root(source)], _groups[Root(place)], IsReadOften(value)))
            {
                Unite(source, place);
            }
        }
    }

    private void Reserve(IEnumerable<Value> values, DType type)
    {
        foreach (Value value in values.Where(v => v.Type.DType is DType.F32 && type is not DType.F32))
        {
            Place(value, type is DType.U8 ? DType.I8 : type);
        }
    }

    private int Place(Value value, DType type) => _values.TryGetValue((value, type), out int place)
        ? place
        : AddValue(value, type, new(type) { Range = _rangeOf(value, type), IsRead = IsReadOften(value) });

    private static bool CanUnite(Group value, Group operand, bool readOften) => (value.Fixed, operand.Fixed) switch
    {
        ({ } first, { } second) => first.Equals(second),
        (null, { } grid) => Fits(value, grid) || (operand.IsClipping && !readOften),
        ({ } grid, null) => Fits(operand, grid),
        _ => Bears(value, operand) && Bears(operand, value),
    };

    /// <summary>True when the range is inside the grid, or less than half a step outside.</summary>
    private static bool Fits(Group group, QuantParams grid)
    {
        ValueRange available = AffineGrid.RangeOf(group.Type, grid);
        double half = grid.Scale / 2;
        return group.Range.IsEmpty || (group.Range.Low >= available.Low - half && group.Range.High <= available.High + half);
    }

    private static bool Bears(Group group, Group other) =>
        !group.IsRead
        || group.Range is { IsEmpty: true } or { Low: 0, High: 0 }
        || Width(group.Type, group.Range.Union(other.Range)) <= TolerableWidening * Width(group.Type, group.Range);

    private static double Width(DType type, ValueRange range) => AffineGrid.Covering(type, range).Scale;

    private static QuantParams? FixedBy(OperandRule rule, DType type) =>
        rule is FixedRule both ? (type is DType.I8 ? both.Int8 : both.Int16) : null;

    private bool IsReadOften(Value value) => value.UseCount + (_graph.IsOutput(value) ? 1 : 0) > 1;

    /// <summary>Type and grid that a QUANTIZE of float values makes, when integer layers can use them.</summary>
    public static (DType Type, QuantParams Grid)? Target(Node node) =>
        node.Inputs[0] is { Type.DType: DType.F32 } && node.Outputs[0].Type is { DType: DType.I8 or DType.I16, Quant: { IsPerAxis: false } grid } type
            ? (type.DType, grid)
            : null;

    /// <summary>Type and grid that a DEQUANTIZE of computed values reads, when integer layers can use them.</summary>
    public static (DType Type, QuantParams Grid)? Source(Node node) => node.Inputs[0] is { Constant: null, Type: { Quant: { IsPerAxis: false } grid } type }
        ? type.DType switch
        {
            DType.I8 or DType.I16 => (type.DType, grid),
            DType.U8 => (DType.I8, new QuantParams(grid.Scale, grid.ZeroPoint - 128)),
            _ => null,
        }
        : null;

    private void AddOperand(Node node, int operand, Group group) => _operands.Add((node, operand), Add(group));

    private int AddValue(Value value, DType type, Group group)
    {
        int place = Add(group);
        _values.Add((value, type), place);
        return place;
    }

    private int Add(Group group)
    {
        _groups.Add(group);
        _parents.Add(_parents.Count);
        return _parents.Count - 1;
    }

    private int Root(int place)
    {
        while (_parents[place] != place)
        {
            place = _parents[place] = _parents[_parents[place]];
        }

        return place;
    }

    private void Unite(int first, int second)
    {
        (int root, int child) = (Root(first), Root(second));
        if (root == child)
        {
            return;
        }

        Group united = _groups[root];
        Group other = _groups[child];
        _groups[root] = new(united.Type)
        {
            Range = united.Range.Union(other.Range),
            Fixed = united.Fixed ?? other.Fixed,
            IsRead = united.IsRead || other.IsRead,
            IsClipping = united.IsClipping || other.IsClipping,
        };
        _parents[child] = root;
    }

    /// <summary>Places with one grid.</summary>
    private sealed record Group(DType Type)
    {
        public ValueRange Range { get; init; } = ValueRange.Empty;

        public QuantParams? Fixed { get; init; }

        /// <summary>True when a value of the group is read more than once.</summary>
        public bool IsRead { get; init; }

        /// <summary>True when values beyond the grid are meant to be cut off, by a QUANTIZE of the model itself.</summary>
        public bool IsClipping { get; init; }

        public QuantParams Grid => Fixed ?? AffineGrid.Covering(Type, Range);
    }
}
