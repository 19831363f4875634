using System.Buffers;
using System.Buffers.Text;
using System.Text;
using Broker.Grains.Messages;
using Broker.Protocol;
using Xunit;

namespace Broker.Grains.Tests.SessionModel;

/// <summary>Messages whose payload is a number.</summary>
internal static class ModelMessage
{
    public static ApplicationMessage Of(string topic, int number, QualityOfService qos, MessageId id)
    {
        var name = Encoding.UTF8.GetBytes(topic);
        return new ApplicationMessage([.. name, .. Encoding.UTF8.GetBytes($"{number}")], name.Length, 0) { Id = id, Qos = qos };
    }

    public static int NumberOf(in PublishSource source)
    {
        Assert.True(Utf8Parser.TryParse(source.Payload.ToArray(), out int number, out _));
        return number;
    }
}
