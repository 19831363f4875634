namespace Broker.TestKit.Wire;

/// <summary>Width of the numeric properties.</summary>
internal static class PropertySize
{
    /// <summary>1, 2 or 4 bytes; 0 for a Variable Byte Integer and for everything that is not a number.</summary>
    public static int Of(Prop id) => id switch
    {
        Prop.PayloadFormatIndicator or Prop.RequestProblemInformation or Prop.RequestResponseInformation
            or Prop.MaximumQoS or Prop.RetainAvailable or Prop.WildcardSubscriptionAvailable
            or Prop.SubscriptionIdentifierAvailable or Prop.SharedSubscriptionAvailable => 1,
        Prop.ServerKeepAlive or Prop.ReceiveMaximum or Prop.TopicAliasMaximum or Prop.TopicAlias => 2,
        Prop.MessageExpiryInterval or Prop.SessionExpiryInterval or Prop.WillDelayInterval
            or Prop.MaximumPacketSize => 4,
        _ => 0,
    };
}
