using System.Text.Json.Serialization;
using Broker.Grains.Interfaces.Alarms;

namespace Broker.Grains.Alarms;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(AlarmState))]
internal sealed partial class AlarmJson : JsonSerializerContext;
