using System.Text.Json;
using Broker.Grains.Interfaces.Alarms;

namespace Broker.Grains.Alarms;

/// <summary>The value of an alarm's row: JSON, so that an operator can read it in the database.</summary>
internal static class AlarmCodec
{
    public static byte[] Encode(AlarmState state) => JsonSerializer.SerializeToUtf8Bytes(state, AlarmJson.Default.AlarmState);

    public static AlarmState Decode(byte[] value) => JsonSerializer.Deserialize(value, AlarmJson.Default.AlarmState)
        ?? throw new InvalidDataException("The row of an alarm is empty.");
}
