using System.Collections;

namespace Broker.TestKit.Wire;

/// <summary>
/// Properties in the order of the wire. Values are numbers (<see cref="uint"/>), <see cref="string"/>,
/// <c>byte[]</c> or, for user properties, a pair of strings. Nothing is checked, so that tests can send what is forbidden.
/// </summary>
public sealed class PropertyCollection : IEnumerable<KeyValuePair<Prop, object>>
{
    private readonly List<KeyValuePair<Prop, object>> _items = [];

    public int Count => _items.Count;

    public void Add(Prop id, uint value) => _items.Add(new(id, value));

    public void Add(Prop id, string value) => _items.Add(new(id, value));

    public void Add(Prop id, byte[] value) => _items.Add(new(id, value));

    public void Add(Prop id, string name, string value) => _items.Add(new(id, (name, value)));

    public bool Has(Prop id) => _items.Exists(item => item.Key == id);

    /// <summary>The number, or null when the property is absent.</summary>
    public uint? Number(Prop id) => All<uint>(id).Select(value => (uint?)value).FirstOrDefault();

    public string? Text(Prop id) => All<string>(id).FirstOrDefault();

    public byte[]? Bytes(Prop id) => All<byte[]>(id).FirstOrDefault();

    public IReadOnlyList<(string Name, string Value)> User => [.. All<(string, string)>(Prop.UserProperty)];

    public IEnumerable<T> All<T>(Prop id) => _items.Where(item => item.Key == id).Select(item => (T)item.Value);

    public IEnumerator<KeyValuePair<Prop, object>> GetEnumerator() => _items.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public override string ToString() => string.Join(", ", _items.Select(item => item.Value is byte[] bytes
        ? $"{item.Key}={Convert.ToHexString(bytes)}"
        : $"{item.Key}={item.Value}"));
}
